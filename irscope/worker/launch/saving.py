"""Tensors as ``.npy`` files, without numpy: torch does without it too."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

#: numpy's names of element types, little-endian; bfloat16 and the 8-bit floats have none.
NUMPY_TYPES = {
    "float16": "<f2",
    "float32": "<f4",
    "float64": "<f8",
    "bool": "|b1",
    "int8": "|i1",
    "uint8": "|u1",
    **{f"int{bits}": f"<i{bits // 8}" for bits in (16, 32, 64)},
    **{f"uint{bits}": f"<u{bits // 8}" for bits in (16, 32, 64)},
}
RAW_TYPES = {1: "|u1", 2: "<u2", 4: "<u4", 8: "<u8"}
#: The header of an ``.npy`` file, with its length and the magic number, is a multiple of this.
HEADER_ALIGNMENT = 64


def save_tensor(tensor: Any, folder: Path, name: str, kind: str) -> tuple[Path, str | None]:
    """Write a tensor as ``.npy`` and give the file, with a note where numpy lacks its element type.

    Such a tensor's bits are saved as unsigned integers, and the file's name says so.
    """
    own_type = str(tensor.dtype).removeprefix("torch.")
    described = NUMPY_TYPES.get(own_type)
    file = folder / (f"{name}.npy" if described else f"{name}.{kind}-bits.npy")
    note = None
    if described is None:
        described = RAW_TYPES[tensor.element_size()]
        note = f"{file.name} has the bits of {own_type}, a type that numpy lacks: .view(torch.{own_type}) in torch"
    data = tensor.detach().to("cpu").contiguous()
    shape = "".join(f"{size}, " for size in data.shape)
    header = f"{{'descr': '{described}', 'fortran_order': False, 'shape': ({shape.rstrip()}), }}"
    header += " " * (-(len(header) + 11) % HEADER_ALIGNMENT) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as out:
        out.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode("ascii"))
        size = data.numel() * data.element_size()
        if size:
            out.write((ctypes.c_char * size).from_address(data.data_ptr()))
    return file, note
