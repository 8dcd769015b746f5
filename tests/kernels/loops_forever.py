"""Never finishes its import, and keeps a core busy: only a time limit ends it."""

while True:
    pass
