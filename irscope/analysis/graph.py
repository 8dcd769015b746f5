"""Control-flow graphs: what can be reached, what dominates what, natural loops. Nodes are numbers from 0."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: By node, the nodes that follow it.
Edges = Sequence[Sequence[int]]


def reachable(successors: Edges, entries: Iterable[int]) -> set[int]:
    """The nodes that a path leads to from an entry, entries included."""
    found = set(entries)
    waiting = list(found)
    while waiting:
        for following in successors[waiting.pop()]:
            if following not in found:
                found.add(following)
                waiting.append(following)
    return found


def dominators(successors: Edges, entries: Iterable[int]) -> dict[int, int]:
    """By reachable node, a bit set of the nodes that every path from an entry to it passes, itself included."""
    entries = list(entries)
    order = _reverse_postorder(successors, entries)
    predecessors: dict[int, list[int]] = {node: [] for node in order}
    for node in order:
        for following in successors[node]:
            predecessors[following].append(node)
    everything = sum(1 << node for node in order)
    result = {node: (1 << node if node in entries else everything) for node in order}
    changed = True
    while changed:
        changed = False
        for node in order:
            if node in entries:
                continue
            held = everything
            for before in predecessors[node]:
                held &= result[before]
            held |= 1 << node
            if held != result[node]:
                result[node] = held
                changed = True
    return result


def _reverse_postorder(successors: Edges, entries: Iterable[int]) -> list[int]:
    seen: set[int] = set()
    order: list[int] = []
    for entry in entries:
        if entry in seen:
            continue
        seen.add(entry)
        stack = [(entry, iter(successors[entry]))]
        while stack:
            node, rest = stack[-1]
            for following in rest:
                if following not in seen:
                    seen.add(following)
                    stack.append((following, iter(successors[following])))
                    break
            else:
                order.append(node)
                stack.pop()
    return order[::-1]


def natural_loops(successors: Edges, dominated_by: dict[int, int], reached: Iterable[int]) -> dict[int, frozenset[int]]:
    """By header, the nodes of its loop: those from which a jump back to the header is reached without leaving it.

    Loops with one header are one loop. A cycle that can be entered at two places is none, see Aho, Lam, Sethi and
    Ullman, "Compilers", section 9.6.6.
    """
    reached = set(reached)
    predecessors: dict[int, list[int]] = {node: [] for node in reached}
    for node in reached:
        for following in successors[node]:
            predecessors[following].append(node)
    loops: dict[int, set[int]] = {}
    for node in reached:
        for header in successors[node]:
            if not dominated_by[node] >> header & 1:
                continue
            body = loops.setdefault(header, {header})
            waiting = [node]
            while waiting:
                inside = waiting.pop()
                if inside not in body:
                    body.add(inside)
                    waiting += predecessors[inside]
    return {header: frozenset(body) for header, body in loops.items()}
