"""Allocates and touches memory without end while it is imported. Import it under a memory limit only."""

hoard = []
while True:
    hoard.append(b"\x01" * (64 << 20))
