"""Copies of a launch's tensors: bytes of memory, so that strides, views and overlaps stay what they are."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

#: A copy lies as its original does within so many bytes: element types and descriptors find themselves aligned.
ALIGNMENT = 16
#: GPU memory that copies leave free.
MARGIN = 256 << 20


@dataclass
class Region:
    """Bytes of a storage from ``start`` on, and their copy, which begins ``start % ALIGNMENT`` bytes into its own."""

    live: Any
    saved: Any
    start: int


class Snapshot:
    """What tensors hold now, to compare with and to go back to.

    On the device where its memory suffices, else (``on_cpu`` is then true) in the memory of the host.
    """

    def __init__(self, tensors: Mapping[str, Any], device: str | None = None) -> None:
        self.tensors = dict(tensors)
        self.on_cpu = False
        self._regions: dict[str, Region] = {}
        for members in regions(self.tensors):
            spans = [span(tensor) for tensor in members.values()]
            start = min(first for first, _ in spans)
            some = next(iter(members.values()))
            live = as_bytes(some.untyped_storage(), start, max(end for _, end in spans), some.device)
            region = Region(live, self._copy(live, start % ALIGNMENT, device), start)
            self._regions.update(dict.fromkeys(members, region))

    def _copy(self, live: Any, padding: int, device: str | None) -> Any:
        import torch

        size = live.numel() + padding
        buffer = None
        if device is None and live.device.type == "cuda" and size + MARGIN <= available_bytes(live.device):
            with contextlib.suppress(torch.cuda.OutOfMemoryError):
                buffer = torch.empty(size, dtype=torch.uint8, device=live.device)
        if buffer is None:
            self.on_cpu = self.on_cpu or live.device.type == "cuda"
            buffer = torch.empty(size, dtype=torch.uint8, device="cpu")
        return buffer[padding:].copy_(live)

    def restore(self, names: Iterable[str] | None = None) -> None:
        """Give the tensors (all, or these and what overlaps them) what they held."""
        chosen = {id(region): region for name, region in self._regions.items() if names is None or name in names}
        for region in chosen.values():
            region.live.copy_(region.saved)

    def view(self, name: str) -> Any:
        """The copy as a tensor of the same shape, strides and element type."""
        import torch

        tensor, region = self.tensors[name], self._regions[name]
        from_start = tensor.storage_offset() * tensor.element_size() - region.start
        offset = (region.start % ALIGNMENT + from_start) // tensor.element_size()
        empty = torch.empty(0, dtype=tensor.dtype, device=region.saved.device)
        return empty.set_(region.saved.untyped_storage(), offset, tensor.size(), tensor.stride())


def tensors_of(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Every tensor among arguments, by name; a tuple's are ``name.0``, a descriptor's is the one it describes."""
    import torch

    found: dict[str, Any] = {}
    for name, value in arguments.items():
        if isinstance(value, torch.Tensor):
            found[name] = value.detach()
        elif isinstance(value, tuple | list):
            found.update(tensors_of({f"{name}.{i}": item for i, item in enumerate(value)}))
        elif isinstance(base := getattr(value, "base", None), torch.Tensor):
            found[name] = base.detach()
    return found


def with_tensors(value: Any, name: str, tensors: Mapping[str, Any]) -> Any:
    """An argument as it is, with the tensors that `tensors_of` found in it replaced by others."""
    import torch

    if isinstance(value, torch.Tensor):
        return tensors[name]
    if isinstance(value, tuple | list):
        items = [with_tensors(item, f"{name}.{i}", tensors) for i, item in enumerate(value)]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(getattr(value, "base", None), torch.Tensor):
        changed = copy.copy(value)
        changed.base = tensors[name]
        if isinstance(getattr(value, "data", None), torch.Tensor):
            changed.data = tensors[name].data
            changed.device = tensors[name].device
        return changed
    return value


def is_among(name: str, names: Collection[str]) -> bool:
    """Whether a tensor of `tensors_of` is named: by its own name (``pair.0``), or by its parameter's (``pair``)."""
    parts = name.split(".")
    return any(".".join(parts[:count]) in names for count in range(1, len(parts) + 1))


def span(tensor: Any) -> tuple[int, int]:
    """First byte and the byte past the last one of a tensor within its storage."""
    start = tensor.storage_offset() * tensor.element_size()
    if not tensor.numel():
        return start, start
    last = sum((size - 1) * stride for size, stride in zip(tensor.size(), tensor.stride(), strict=True))
    return start, start + (last + 1) * tensor.element_size()


def addresses(tensor: Any) -> tuple[int, int]:
    start, end = span(tensor)
    base = tensor.untyped_storage().data_ptr()
    return base + start, base + end


def overlap(one: Any, other: Any) -> bool:
    """Whether the memory between the first and the last element of two tensors has bytes in common."""
    (a, b), (c, d) = addresses(one), addresses(other)
    return one.device == other.device and a < d and c < b


def regions(tensors: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Tensors of one storage whose bytes overlap go together; each group in order of its addresses."""
    groups: list[dict[str, Any]] = []
    storage, end = None, 0
    for name, tensor in sorted(tensors.items(), key=lambda item: (str(item[1].device), *addresses(item[1]))):
        this = (tensor.device, tensor.untyped_storage().data_ptr())
        first, last = span(tensor)
        if this == storage and first < end:
            groups[-1][name] = tensor
        else:
            groups.append({name: tensor})
            storage, end = this, 0
        end = max(end, last)
    return groups


def as_bytes(storage: Any, start: int, end: int, device: Any) -> Any:
    """Bytes ``start:end`` of a storage as a tensor that shares them."""
    import torch

    empty = torch.empty(0, dtype=torch.uint8, device=device)
    return empty.set_(storage, start, (max(end - start, 0),), (1,))


def available_bytes(device: Any) -> int:
    """GPU memory that torch can still give out: the driver's, and what torch holds unused."""
    import torch

    free, _ = torch.cuda.mem_get_info(device)
    return int(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))
