"""Arguments of a launch in a few words, and their types as Triton's signatures write them."""

from __future__ import annotations

from typing import Any

from ..inference.infer import TYPES

#: torch's names that differ from those of Triton's language.
_TORCH_TYPES = {
    "bool": "i1", "float8_e5m2": "fp8e5", "float8_e4m3fn": "fp8e4nv", "float8_e4m3fnuz": "fp8e4b8",
    "float8_e5m2fnuz": "fp8e5b16",
}  # fmt: skip


def element_type(dtype: Any) -> str:
    """``fp16`` for ``torch.float16`` and ``tl.float16``; a name that Triton has no short one for as it is."""
    name = str(dtype).removeprefix("torch.")
    return _TORCH_TYPES.get(name) or TYPES.get(name, name)


def torch_type(name: str) -> Any:
    """The torch type of a signature's element type, ``None`` where torch has none; either name will do."""
    import torch

    for torch_name in (
        name,
        *(key for table in (_TORCH_TYPES, TYPES) for key, short in table.items() if short == name),
    ):
        found = getattr(torch, torch_name, None)
        if isinstance(found, torch.dtype):
            return found
    return None


def value_of(value: Any) -> Any:
    """What a ``tl.constexpr`` holds; anything else unchanged."""
    return value.value if type(value).__name__ == "constexpr" else value


def is_tensor(value: Any) -> bool:
    return hasattr(value, "data_ptr") and hasattr(value, "shape")


def is_descriptor(value: Any) -> bool:
    """A tensor descriptor made on the host."""
    return hasattr(value, "base") and hasattr(value, "block_shape")


def type_in_signature(value: Any) -> str:
    """``*fp16``, ``i32``; what Triton makes of a run-time value, in short."""
    if is_tensor(value):
        return f"*{element_type(value.dtype)}"
    if is_descriptor(value):
        return f"tensordesc<{element_type(value.base.dtype)}{list(value.block_shape)}>"
    if isinstance(value, bool):
        return "i1"
    if isinstance(value, int):
        return "i32" if -(2**31) <= value < 2**31 else "i64" if value < 2**63 else "u64"
    if isinstance(value, float):
        return "fp32"
    return "constexpr" if value is None else type(value).__name__


def in_words(value: Any) -> str:
    """``fp16[4096, 4096]``, ``4096``; strides are told where they are not a contiguous tensor's."""
    value = value_of(value)
    if is_descriptor(value):
        return f"descriptor of {in_words(value.base)}, block {list(map(int, value.block_shape))}"
    if is_tensor(value):
        words = f"{element_type(value.dtype)}{list(map(int, value.shape))}"
        contiguous = getattr(value, "is_contiguous", None)
        return words if contiguous is None or contiguous() else f"{words} strides {list(map(int, value.stride()))}"
    if isinstance(value, tuple | list):
        return f"({', '.join(in_words(item) for item in value)})"
    if isinstance(value, bool | int | float | str) or value is None:
        return str(value)
    return str(getattr(value, "__name__", None) or type(value).__name__)
