"""Call sites for stages that lost them.

With Triton up to 3.7 the cubin's line table names only the innermost frame of inlined code, with 3.3 PTX already.
Where the stage before knows a single way in which a line was reached, that way is the row's.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from irscope.ir.files import normal_path
from irscope.ir.lines import Chain, Location, StageIndex


def distinct_chains(index: StageIndex) -> list[Chain]:
    """The chains of an index in the order of their first rows: few, as rows of one origin share a tuple."""
    return list(dict(zip(map(id, index.chains), index.chains, strict=True)).values())


def has_calls(index: StageIndex) -> bool:
    """Whether any row tells a call site."""
    return any(len(chain) > 1 for chain in distinct_chains(index))


def complete_calls(index: StageIndex, before: StageIndex) -> StageIndex:
    """The same rows with the call sites that follow from an earlier stage.

    A row gets the callers that all code of its line (and column, where the row has one) has in ``before``; none
    where that code was reached in several ways, or also without a call.
    """
    callers: defaultdict[Location, set[Chain]] = defaultdict(set)
    for chain in distinct_chains(before):
        if chain:
            place = _normal(chain[0])
            if place.column:
                callers[place].add(chain[1:])
            # Who has no column is not told which of a line's calls it was either.
            callers[replace(place, column=0)].add(tuple([replace(caller, column=0) for caller in chain[1:]]))
    completed = {}
    for chain in distinct_chains(index):
        ways = callers.get(_normal(chain[0]), set()) if len(chain) == 1 else set()
        completed[id(chain)] = chain + next(iter(ways)) if len(ways) == 1 else chain
    chains = [completed[identity] for identity in map(id, index.chains)]
    return StageIndex(index.lines, chains, index.operations)


def _normal(location: Location) -> Location:
    return replace(location, file=normal_path(location.file))
