"""Attribute records of a cubin: ``.nv.info``, ``.nv.info.KERNEL`` and ``.nv.compat``.

NVIDIA documents neither the form nor the codes. The names are in eiattr.json, with their source; the values'
meanings are compared with what ``ptxas -v`` and ``nvdisasm`` print in tests/ir/test_cubin.py.
"""

from __future__ import annotations

import functools
import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

#: Attributes that hold a symbol's number and a value for it.
_BY_FUNCTION = ("REGCOUNT", "FRAME_SIZE", "MIN_STACK_SIZE", "MAX_STACK_SIZE")
#: Attributes that hold a number for each dimension.
_BY_DIMENSION = ("REQNTID", "MAX_THREADS", "CTA_PER_CLUSTER")


class DamagedCubin(ValueError):
    """The bytes are no cubin, or a truncated or damaged one."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One record of ``.nv.info`` (of the whole cubin) or ``.nv.info.KERNEL``."""

    code: int
    name: str
    #: The function that the record names, or the kernel whose section it is in; empty for the whole cubin.
    function: str
    #: A number, several of them (offsets, dimensions), or the bytes where the meaning is not known.
    value: int | tuple[int, ...] | bytes | None

    @property
    def text(self) -> str:
        """The value as a person reads it; an instruction's address and a version in their usual form."""
        if self.value is None:
            return "yes"
        if isinstance(self.value, bytes):
            return self.value.hex(" ", 4)
        if self.name == "CUDA_API_VERSION" and isinstance(self.value, int):
            return release(self.value)
        values = (self.value,) if isinstance(self.value, int) else self.value
        pattern = "{:#x}" if self.name.endswith(("OFFSETS", "MASK")) else "{}"
        return " ".join(pattern.format(value) for value in values)


def records(data: bytes) -> Iterator[tuple[int, int | bytes | None]]:
    """Codes and values of an attribute section: a format byte, the code, then a value or a size and bytes."""
    position = 0
    while position < len(data):
        form, code, short = struct.unpack_from("<BBH", data, position)
        position += 4
        if form == 1:
            yield code, None
        elif form == 2:
            yield code, short & 0xFF
        elif form == 3:
            yield code, short
        elif form == 4:
            if position + short > len(data):
                raise DamagedCubin("the cubin is damaged: an attribute is longer than its section")
            yield code, data[position : position + short]
            position += (short + 3) & ~3
        else:
            raise DamagedCubin(f"the cubin is damaged: an attribute has the unknown format {form}")


def attributes(data: bytes, kernel: str, symbols: Sequence[str]) -> Iterator[Attribute]:
    names = attribute_names()
    for code, raw in records(data):
        name = names.get(code, f"0x{code:02x}")
        function, value = kernel, raw if not isinstance(raw, bytes) else _decoded(name, raw)
        if name in _BY_FUNCTION and isinstance(value, tuple):
            function, value = symbols[value[0]], value[1]
        yield Attribute(code, name, function, value)


def _decoded(name: str, raw: bytes) -> int | tuple[int, ...] | bytes:
    if name == "KPARAM_INFO":
        # Index, ordinal, offset, then one word: size in the upper 14 bits, the rest says where it lies.
        _, ordinal, offset, packed = struct.unpack("<IHHI", raw)
        return ordinal, offset, packed >> 18
    if name == "PARAM_CBANK":
        symbol, offset, size = struct.unpack("<IHH", raw)
        return symbol, offset, size
    if len(raw) % 4:
        return raw
    words: tuple[int, ...] = struct.unpack(f"<{len(raw) // 4}I", raw)
    if name == "ANNOTATIONS":
        # Pairs of a kind and an address; 1 is the only kind that ptxas writes so far, a spill or a refill.
        pairs = list(zip(words[::2], words[1::2], strict=True))
        return tuple(address for _, address in pairs) if all(kind == 1 for kind, _ in pairs) else raw
    if len(words) == 1 and not name.endswith("OFFSETS"):
        return words[0]
    known = name in _BY_FUNCTION or name in _BY_DIMENSION or name.endswith("OFFSETS")
    return words if known else raw


@functools.cache
def attribute_names() -> dict[int, str]:
    """By code, the attributes' names without their ``EIATTR_``."""
    text = Path(__file__).with_name("eiattr.json").read_text(encoding="utf-8")
    return {int(code, 16): name for code, name in json.loads(text)["names"].items()}


def release(number: int) -> str:
    """A CUDA release as NVIDIA's files number it: 134 is "13.4"."""
    return f"{number // 10}.{number % 10}"
