"""Where values go by control flow: through the arguments and results of loops, branches and partitions."""

from __future__ import annotations

from collections.abc import Iterator

from irscope.ir.ssa import Operation, Region

#: Operations that hand values out of a region or to another block.
ENDS = frozenset(
    (
        "scf.yield",
        "scf.condition",
        "tt.return",
        "ttg.warp_yield",
        "ttg.warp_return",
        "cf.br",
        "cf.cond_br",
        "tt.reduce.return",
        "tt.scan.return",
        "tt.map_elementwise.return",
    )
)


def edges(region: Region) -> Iterator[tuple[int, int]]:
    """From a value to one that is the same by control flow: loops' and branches' arguments and results."""
    labels = {block.label: block for block in region.blocks}
    for block in region.blocks:
        for operation in block.operations:
            for label, handed in operation.successors:
                if label in labels:
                    yield from zip(handed, labels[label].arguments, strict=False)
            if operation.regions:
                yield from region_edges(operation)
                for inner in operation.regions:
                    yield from edges(inner)


def region_edges(operation: Operation) -> Iterator[tuple[int, int]]:
    """The same for one operation with regions, without those inside of it."""
    entries = [region.blocks[0].arguments for region in operation.regions]
    yields = [yielded(region) for region in operation.regions]
    if operation.name == "scf.for":
        initial = operation.operands[3:]
        carried = entries[0][1:]
        for source in (initial, yields[0]):
            yield from zip(source, carried, strict=False)
            yield from zip(source, operation.results, strict=False)
    elif operation.name == "scf.while" and len(entries) == 2:
        yield from zip(operation.operands, entries[0], strict=False)
        yield from zip(yields[1], entries[0], strict=False)
        passed = yields[0][1:]  # After the condition itself.
        yield from zip(passed, entries[1], strict=False)
        yield from zip(passed, operation.results, strict=False)
    else:
        for entry in entries:
            if len(entry) == len(operation.operands):
                yield from zip(operation.operands, entry, strict=True)
            else:
                yield from ((operand, argument) for operand in operation.operands for argument in entry)
        for values in yields:
            yield from zip(values, operation.results, strict=False)


def yielded(region: Region) -> list[int]:
    """What the last operation of a region hands out."""
    operations = region.blocks[-1].operations
    return operations[-1].operands if operations and operations[-1].name in ENDS else []
