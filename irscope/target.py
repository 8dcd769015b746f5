"""What the compiler generates code for. Apart from `irscope.model`, so that to read a command line loads little."""

from __future__ import annotations

import re
from dataclasses import dataclass


class InvalidTarget(ValueError):
    """The text does not name a target."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the compiler generates code for: ``cuda`` ``sm_90``, ``hip`` ``gfx942``."""

    backend: str
    arch: str
    warp_size: int

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read ``sm_90``, ``sm_90a``, ``90``, ``cuda:90``, ``gfx942`` or ``hip:gfx942``.

        Raises:
            InvalidTarget: it is none of these.
        """
        backend, _, arch = text.strip().rpartition(":")
        arch = arch.lower().removeprefix("sm_").removeprefix("sm")
        if backend in ("", "cuda") and arch.isascii() and arch.rstrip("af").isdigit():
            return cls("cuda", f"sm_{arch.rstrip('af')}", 32)
        if backend in ("", "hip") and re.fullmatch(r"gfx[1-9]\d*[0-9a-f]{2}", arch, re.ASCII):
            # GCN and CDNA (gfx9) run 64 threads a wave, RDNA (gfx10 and later) 32, as Triton's driver has it.
            return cls("hip", arch, 64 if arch.startswith("gfx9") else 32)
        raise InvalidTarget(f"'{text}' is not a target; write sm_90, cuda:90, gfx942 or hip:gfx942")

    @property
    def capability(self) -> int | None:
        """The CUDA compute capability as Triton writes it (90 for sm_90), ``None`` on AMD."""
        return int(self.arch.removeprefix("sm_")) if self.backend == "cuda" else None

    def __str__(self) -> str:
        return self.arch
