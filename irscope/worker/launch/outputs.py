"""What a kernel wrote: one launch from the original arguments, into poisoned memory.

A tensor that the kernel only writes is filled with a poison before the launch; an element that still holds it
was not written. Where any does, a second launch with another poison makes that exact: no element can hold both.
A tensor that the kernel reads as well keeps its values, so that only a changed element is known to be written.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import copies, saving, words
from .inputs import Guard

#: By element size in bytes: a NaN in every floating-point type of that size, with a payload that no arithmetic has.
FIRST_POISON = {1: 0x7F, 2: 0x7FD5, 4: 0x7FEDA5C3, 8: 0x7FFDA5C39B1E6D27}
SECOND_POISON = {1: 0xFF, 2: 0xFFB6, 4: 0xFFD65AB7, 8: 0xFFFB5AB764E192D8}

#: Elements that are looked at in one go: with float64 copies of them, some hundred MB.
CHUNK = 1 << 24
#: Bytes that an element needs while its statistics are taken.
WORKING_BYTES = 48
FIRST_ELEMENTS = 8


@dataclass
class Observed:
    """Tensors that a kernel may write, by name."""

    #: Only written: to be poisoned.
    poisoned: dict[str, Any] = field(default_factory=dict)
    #: Read too, or perhaps: to be compared with what they held.
    compared: dict[str, Any] = field(default_factory=dict)

    @property
    def tensors(self) -> dict[str, Any]:
        return {**self.poisoned, **self.compared}


def observed(
    tensors: Mapping[str, Any], read: Collection[str] | None, written: Collection[str] | None
) -> Observed:  # fmt: skip
    """Which tensors to watch, from the parameters that the kernel reads and writes; ``None`` is unknown."""
    found = Observed()
    if written is None:
        return Observed(compared=dict(tensors))
    for name, tensor in tensors.items():
        if not copies.is_among(name, written):
            continue
        # Poison in memory that another parameter reads would change what the kernel computes.
        is_read = read is None or any(
            copies.is_among(other, read) and (other == name or copies.overlap(tensor, tensors[other]))
            for other in tensors
        )
        (found.compared if is_read else found.poisoned)[name] = tensor
    return found


def observe(
    watched: Observed,
    snapshot: copies.Snapshot,
    guards: Mapping[str, Guard],
    run: Callable[[], None],
    known: bool,
    save: Path | None = None,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Launch once or twice, and describe what was written, as fields of ``launch.model.Output``, with warnings.

    `snapshot` has what the watched tensors hold before a launch, which they hold again afterwards. `run` launches
    and waits for the end. `known`: the watched tensors are those that the kernel writes; else those that did not
    change are left out. With `save`, each is written into that folder.
    """
    snapshot.restore()
    poison(watched.poisoned, FIRST_POISON)
    for guard in guards.values():
        refill(guard)
    run()
    unwritten = {name: unwritten_elements(tensor, FIRST_POISON) for name, tensor in watched.poisoned.items()}
    if any(mask is not None for mask in unwritten.values()):
        snapshot.restore()
        poison(watched.poisoned, SECOND_POISON)
        run()
        for name, mask in unwritten.items():
            if mask is not None:
                unwritten[name] = also_unwritten(mask, watched.poisoned[name], SECOND_POISON)
    outside = {name: written_outside(guard) for name, guard in guards.items()}
    outputs, warnings = [], []
    for name, tensor in watched.tensors.items():
        mask = unwritten.get(name)
        if name in watched.poisoned:
            written = unique(tensor).numel() - (0 if mask is None else int(mask.sum()))
        else:
            written = changed_elements(tensor, snapshot.view(name))
        if not known and not written and not outside.get(name):
            continue
        output = {
            "name": name,
            "type": words.element_type(tensor.dtype),
            "shape": list(tensor.shape),
            "elements": unique(tensor).numel(),
            "written": written,
            "changed_only": name in watched.compared,
            **statistics(tensor, mask),
            "first": first_elements(tensor, mask),
            "outside": outside.get(name),
        }
        if save is not None:
            if mask is not None:
                put_back(tensor, snapshot.view(name), mask)
            file, note = saving.save_tensor(tensor, save, name, output["type"])
            output["file"] = str(file)
            warnings += [note] if note else []
        outputs.append(output)
    for name in set(guards) - set(watched.tensors):
        if outside[name]:
            words_of = "1 element" if outside[name] == 1 else f"{outside[name]:,} elements"
            warnings.append(f"{words_of} written outside of '{name}', which the kernel only reads")
    snapshot.restore()
    return outputs, warnings


def unique(tensor: Any) -> Any:
    """The tensor without the repetitions of an expanded one: each element in memory once."""
    sizes = [1 if stride == 0 else size for size, stride in zip(tensor.size(), tensor.stride(), strict=True)]
    return tensor.as_strided(sizes if tensor.numel() else tensor.size(), tensor.stride())


def as_integers(tensor: Any) -> Any:
    """The tensor's elements as their bits."""
    import torch

    sizes = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    return tensor.view(sizes[tensor.element_size()])


def chunk_elements(tensor: Any) -> int:
    if tensor.device.type != "cuda":
        return CHUNK
    return max(1 << 16, min(CHUNK, copies.available_bytes(tensor.device) // WORKING_BYTES // 2))


def pieces(tensor: Any, limit: int = CHUNK) -> Iterator[Any]:
    """The tensor in parts of at most so many elements; tensors of one shape fall into the same parts."""
    if tensor.numel() <= limit:
        yield tensor
        return
    sizes = list(tensor.shape)
    longest = sizes.index(max(sizes))
    parts = min(sizes[longest], math.ceil(tensor.numel() / limit))
    for part in tensor.split(math.ceil(sizes[longest] / parts), longest):
        yield from pieces(part, limit)


def pattern(bits: int, size: int) -> int:
    """As the value of the integers of `as_integers`, which have a sign from two bytes on."""
    return bits if size == 1 or bits < 1 << (8 * size - 1) else bits - (1 << 8 * size)


def poison(tensors: Mapping[str, Any], patterns: Mapping[int, int]) -> None:
    for tensor in tensors.values():
        size = tensor.element_size()
        as_integers(unique(tensor)).fill_(pattern(patterns[size], size))


def unwritten_elements(tensor: Any, patterns: Mapping[int, int]) -> Any:
    """A mask, of the shape that `unique` gives, of elements that hold the poison; ``None`` where none does."""
    import torch

    elements = as_integers(unique(tensor))
    value = pattern(patterns[tensor.element_size()], tensor.element_size())
    if not any(bool((piece == value).any()) for piece in pieces(elements)):
        return None
    fits = tensor.device.type != "cuda" or elements.numel() + copies.MARGIN <= copies.available_bytes(tensor.device)
    mask = torch.empty(elements.shape, dtype=torch.bool, device=tensor.device if fits else "cpu")
    for part, piece in zip(pieces(mask), pieces(elements), strict=True):
        part.copy_(piece == value)
    return mask


def also_unwritten(mask: Any, tensor: Any, patterns: Mapping[int, int]) -> Any:
    """What of the mask holds this poison too; ``None`` where nothing does."""
    value = pattern(patterns[tensor.element_size()], tensor.element_size())
    for part, piece in zip(pieces(mask), pieces(as_integers(unique(tensor))), strict=True):
        part.logical_and_((piece == value).to(part.device))
    return mask if bool(mask.any()) else None


def changed_elements(tensor: Any, before: Any) -> int:
    """Elements whose bits differ from the copy's."""
    pairs = zip(pieces(as_integers(unique(tensor))), pieces(as_integers(unique(before))), strict=True)
    return sum(int((now != then.to(now.device)).sum()) for now, then in pairs)


def put_back(tensor: Any, before: Any, mask: Any) -> None:
    """Give elements that were not written their values of before, in place of the poison."""
    import torch

    parts = zip(pieces(as_integers(unique(tensor))), pieces(as_integers(unique(before))), pieces(mask), strict=True)
    for now, then, skipped in parts:
        now.copy_(torch.where(skipped.to(now.device), then.to(now.device), now))


def refill(guard: Guard) -> None:
    for part in guard_parts(guard):
        part.fill_(guard_pattern(part, guard.byte))


def written_outside(guard: Guard) -> int:
    return sum(int((part != guard_pattern(part, guard.byte)).sum()) for part in guard_parts(guard))


def guard_parts(guard: Guard) -> list[Any]:
    flat = as_integers(guard.storage)
    return [flat[: guard.start], flat[guard.end :]]


def guard_pattern(part: Any, byte: int) -> int:
    return int.from_bytes(bytes([byte]) * part.element_size(), "little")


def statistics(tensor: Any, unwritten: Any = None) -> dict[str, Any]:
    """Minimum, maximum and mean of the finite elements that were written, and how many are NaN and infinite."""
    tensor = unique(tensor)
    limit = chunk_elements(tensor)
    parts = pieces(tensor, limit)
    masks = itertools.repeat(None) if unwritten is None else pieces(unwritten, limit)
    found = [summary(numbers(part), mask) for part, mask in zip(parts, masks)]  # noqa: B905
    filled = [part for part in found if part.count]
    count = sum(part.count for part in filled)
    return {
        "minimum": min((part.lowest for part in filled), default=None),
        "maximum": max((part.highest for part in filled), default=None),
        "mean": math.fsum(part.total for part in filled) / count if count else None,
        "nan": sum(part.nan for part in found),
        "inf": sum(part.inf for part in found),
    }


@dataclass(frozen=True)
class Summary:
    count: int
    total: float
    lowest: float
    highest: float
    nan: int = 0
    inf: int = 0


def summary(values: Any, skipped: Any) -> Summary:
    """Of elements as `numbers` gives them, without those that are not finite and those under the mask."""
    import torch

    nothing = Summary(0, 0.0, 0.0, 0.0)
    if not values.numel():
        return nothing
    if not values.is_floating_point():
        if skipped is not None:
            values = values[~skipped.to(values.device)]
        if not values.numel():
            return nothing
        lowest, highest = torch.stack(torch.aminmax(values)).tolist()
        return Summary(values.numel(), float(values.sum(dtype=torch.float64)), lowest, highest)
    # What is skipped counts neither as NaN nor as infinite.
    is_nan, counted = torch.isnan(values), torch.isfinite(values)
    if skipped is not None:
        skipped = skipped.to(values.device)
        is_nan, counted = is_nan & ~skipped, counted & ~skipped
    written = values.numel() - (0 if skipped is None else int(skipped.sum()))
    count, nan, total, lowest, highest = torch.stack(
        [
            counted.sum(dtype=torch.float64),
            is_nan.sum(dtype=torch.float64),
            torch.where(counted, values, 0).sum(dtype=torch.float64),
            torch.where(counted, values, math.inf).amin().to(torch.float64),
            torch.where(counted, values, -math.inf).amax().to(torch.float64),
        ]
    ).tolist()
    return Summary(int(count), total, lowest, highest, int(nan), written - int(count) - int(nan))


def numbers(tensor: Any) -> Any:
    """Elements in a type that torch computes with and that holds them exactly (64-bit unsigned: nearly)."""
    import torch

    if tensor.dtype in (torch.float64, torch.float32, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8):
        return tensor
    if tensor.dtype is torch.bool:
        return tensor.view(torch.uint8)
    if tensor.is_floating_point() and tensor.element_size() <= 2:
        # Packed types (two fp4 in a byte) have no numbers of their own: their bytes.
        packed = "_x2" in str(tensor.dtype)
        return tensor.view(torch.uint8) if packed else tensor.to(torch.float32)
    return tensor.to(torch.float64 if tensor.dtype is torch.uint64 else torch.int64)


def first_elements(tensor: Any, unwritten: Any = None) -> list[Any]:
    """The first few in the order of the indices: numbers, ``"nan"``, ``"inf"``; ``None`` was not written.

    JSON has no NaN, hence the text.
    """
    found: list[Any] = []
    # ``product`` makes a list of each axis: of the first elements none has a larger index along any.
    axes = [range(min(size, FIRST_ELEMENTS)) for size in tensor.shape]
    for place in itertools.islice(itertools.product(*axes), FIRST_ELEMENTS):
        # What an expanded tensor repeats is once in the mask.
        once = tuple(0 if stride == 0 else at for at, stride in zip(place, tensor.stride(), strict=True))
        if unwritten is not None and bool(unwritten[once]):
            found.append(None)
            continue
        value = numbers(tensor[place]).item()
        value = bool(value) if words.element_type(tensor.dtype) == "i1" else value
        found.append(value if not isinstance(value, float) or math.isfinite(value) else str(value))
    return found
