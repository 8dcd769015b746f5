"""Arguments made from a specialization: what the user writes for them, and tensors with guards around."""

from __future__ import annotations

import ast
import math
import pickle
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..failures import install_command
from ..protocol import Rejected, names_hint
from .words import element_type, torch_type

#: Every byte of the first tensor's guards; those of the next ones are one more each, so that a kernel which copies
#: past the end of one tensor past the end of another shows. Finite in every floating-point type.
POISON = 0x5A
POISONS = 16
#: At least so much lies before and after each made tensor; a multiple of what any load wants to be aligned to.
GUARD_BYTES = 64 << 10
ALIGNMENT = 512

KINDS = ("randn", "rand", "zeros", "ones", "arange", "full", "empty")
FILES = (".npy", ".pt", ".pth")
#: How a ``.npy`` file begins.
NPY = b"\x93NUMPY"
EXAMPLE = "write randn:1024x1024:fp16, full:2.5:64, a number, None, or the path of a .npy or .pt file"

#: Made integers are small, so that those which are indices stay inside of what they index.
LARGEST_INTEGER = 127


@dataclass(frozen=True)
class Guard:
    """A made tensor lies at elements ``start:end`` of ``storage``, a flat tensor of the same element type.

    Every byte of the rest of ``storage`` is ``byte``, so that a write outside of the tensor shows and harms nothing.
    """

    storage: Any
    start: int
    end: int
    byte: int = POISON


@dataclass(frozen=True)
class Input:
    """What the user writes for one parameter."""

    text: str
    #: One of `KINDS`; ``None`` for a number or a file.
    kind: str | None = None
    #: The number itself, or what ``full`` fills with.
    value: Any = None
    shape: tuple[int, ...] | None = None
    #: As in a signature: ``fp16``.
    type: str | None = None
    file: Path | None = None

    @property
    def is_tensor(self) -> bool:
        return self.kind is not None or self.file is not None


def parse(name: str, text: str) -> Input:
    """Read one ``--arg``; raises `Rejected` (kind "usage") that names the parameter."""
    text = text.strip()
    if text.lower().endswith(FILES):
        file = Path(text).expanduser()
        if not file.is_file():
            raise refused(name, text, "there is no such file")
        return Input(text, file=file)
    kind, *parts = text.split(":")
    if kind not in KINDS:
        value = number(kind) if not parts else Ellipsis
        if value is Ellipsis:
            raise refused(name, text, f"'{kind}' is no kind of input", names_hint(kind, (*KINDS, "a number", "a file")))
        return Input(text, value=value)
    fill = None
    if kind == "full":
        fill = number(parts.pop(0)) if parts else Ellipsis
        if fill is Ellipsis or fill is None:
            raise refused(name, text, "full needs a number", "write full:2.5:1024 or full:2.5")
    shape = parse_shape(name, text, parts.pop(0)) if parts and parts[0][:1].isdigit() else None
    type_ = parts.pop(0) if parts else None
    if parts:
        raise refused(name, text, f"'{':'.join(parts)}' is too much")
    if type_ is not None and torch_type(type_) is None:
        raise refused(name, text, f"'{type_}' is neither a shape nor an element type of torch's")
    return Input(text, kind, fill, shape, None if type_ is None else element_type(torch_type(type_)))


def number(text: str) -> Any:
    """A Python number, boolean or None; ``...`` for anything else."""
    try:
        value = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        value = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}.get(text.strip().lower(), ...)
    return value if value is None or isinstance(value, bool | int | float) else ...


def parse_shape(name: str, text: str, shape: str) -> tuple[int, ...]:
    if not re.fullmatch(r"[0-9]+(x[0-9]+)*", shape):
        raise refused(name, text, f"'{shape}' is no shape")
    sizes = tuple(int(size[:20]) for size in shape.split("x"))
    if 0 in sizes:
        raise refused(name, text, "a tensor without elements cannot be launched on")
    if math.prod(sizes) >= 2**48:
        raise refused(name, text, f"'{shape}' is larger than any memory")
    return sizes


def refused(name: str, text: str, why: str, hint: str = EXAMPLE) -> Rejected:
    return Rejected("usage", f"--arg {name}={text}: {why}", hint=hint)


class Maker:
    """Makes tensors on one device; each parameter has a random stream of its own, whatever else is made."""

    def __init__(self, device: str, seed: int, largest_index: int | None, block: int) -> None:
        self.device = device
        self.seed = seed
        self.largest_integer = min(LARGEST_INTEGER, (largest_index or LARGEST_INTEGER + 1) - 1)
        self.block = block
        self.guards: dict[str, Guard] = {}

    def load(self, name: str, given: Input) -> Any:
        """The tensor of a file; its own shape and element type."""
        return self.place(name, read(name, given))

    def place(self, name: str, tensor: Any) -> Any:
        made = self.guarded(name, tuple(tensor.shape), tensor.dtype)
        made.copy_(tensor)
        return made

    def make(self, name: str, given: Input, shape: tuple[int, ...], type_: str) -> Any:
        import torch

        dtype = torch_type(given.type or type_)
        if dtype is None:
            raise refused(name, given.text, f"torch has no element type '{given.type or type_}'")
        made = self.guarded(name, shape, dtype)
        flat = made.view(-1)
        try:
            if dtype.itemsize == 1 and dtype.is_floating_point:
                # Nothing is drawn in 8 bits.
                wide = torch.empty(flat.shape, dtype=torch.float32, device=self.device)
                self.fill(name, wide, given)
                flat.copy_(wide)
            else:
                self.fill(name, flat, given)
        except (OverflowError, RuntimeError, ValueError) as error:
            # CUDA's errors are RuntimeErrors too.
            if given.kind != "full" or "CUDA" in str(error):
                raise
            raise refused(name, given.text, f"{given.value} does not fit into {element_type(dtype)}") from error
        return made

    def fill(self, name: str, flat: Any, given: Input) -> None:
        import torch

        generator = torch.Generator(device=self.device)
        generator.manual_seed(zlib.crc32(f"{self.seed} {name}".encode()))
        floating = flat.dtype.is_floating_point
        if given.kind == "zeros":
            flat.zero_()
        elif given.kind == "ones":
            flat.fill_(1)
        elif given.kind == "full":
            if not floating and float(given.value) != int(given.value):
                raise ValueError
            flat.fill_(given.value)
        elif given.kind == "arange":
            # In steps of one; what an element type cannot count to wraps or rounds as torch does it.
            flat.copy_(torch.arange(flat.numel(), device=self.device))
        elif given.kind == "randn" and floating:
            flat.normal_(generator=generator)
        elif given.kind == "rand" and floating:
            flat.uniform_(generator=generator)
        elif given.kind != "empty":
            top = 1 if flat.dtype is torch.bool else self.largest_integer
            lowest = -8 if given.kind == "randn" and flat.dtype.is_signed else 0
            flat.random_(lowest, (8 if lowest else top) + 1, generator=generator)

    def guarded(self, name: str, shape: tuple[int, ...], dtype: Any) -> Any:
        """An uninitialized contiguous tensor between two guards; no wider than memory is."""
        import torch

        elements = math.prod(shape)
        before = -(-max(GUARD_BYTES, self.block * dtype.itemsize) // ALIGNMENT) * ALIGNMENT // dtype.itemsize
        size = elements + 2 * before
        self.refuse_what_does_not_fit(name, size * dtype.itemsize)
        storage = torch.empty(size, dtype=dtype, device=self.device)
        guard = Guard(storage, before, before + elements, POISON + len(self.guards) % POISONS)
        for part in (storage[: guard.start], storage[guard.end :]):
            part.view(torch.uint8).fill_(guard.byte)
        self.guards[name] = guard
        return storage[guard.start : guard.end].view(shape)

    def refuse_what_does_not_fit(self, name: str, size: int) -> None:
        # On a GPU torch says so by itself; the system would lend more than there is, and end the worker later.
        if not self.device.startswith("cpu"):
            return
        from .redirect import available_memory

        free = available_memory()
        if free is not None and size > free:
            raise Rejected(
                "memory", f"{name} takes {size / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free",
                hint="choose smaller sizes with --arg",
            )  # fmt: skip


def read(name: str, given: Input) -> Any:
    """The tensor in a ``.npy`` or ``.pt`` file; runs no code from it."""
    import torch

    assert given.file is not None
    try:
        if given.file.suffix.lower() == ".npy":
            import numpy

            with given.file.open("rb") as opened:
                # numpy takes any other file for a pickle, and tells how to load that.
                if not (begins := opened.read(len(NPY))).startswith(NPY) and begins:
                    raise refused(name, given.text, "it is no .npy file")
            found = torch.from_numpy(numpy.load(given.file, allow_pickle=False))
        else:
            found = torch.load(given.file, map_location="cpu", weights_only=True)
    except Rejected:
        raise
    except ModuleNotFoundError as error:
        raise Rejected(
            "missing", f"--arg {name}={given.text}: reading it needs numpy", hint=install_command("numpy")
        ) from error
    except pickle.UnpicklingError as error:
        raise refused(name, given.text, "it is no file of torch's, or holds more than tensors") from error
    except Exception as error:
        first = str(error).partition("\n")[0]
        raise refused(name, given.text, f"it cannot be read: {first or type(error).__name__}") from error
    if not isinstance(found, torch.Tensor):
        raise refused(name, given.text, f"it holds a {type(found).__name__} and no tensor")
    if found.layout is not torch.strided or found.is_quantized:
        raise refused(name, given.text, "it holds a sparse or quantized tensor; a kernel takes a plain one")
    if found.is_complex():
        raise refused(name, given.text, f"Triton has no element type {element_type(found.dtype)}")
    if not found.numel():
        raise refused(name, given.text, "it holds a tensor without elements")
    return found.detach()
