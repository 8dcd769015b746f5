"""Bank conflicts as verdicts; how they are counted is tested with `irscope.analysis.banks`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from telling import Told, check

from irscope.analysis import banks
from irscope.analysis.verdicts import verdicts

Tell = Callable[..., Told]
RULE = "bank conflicts"
TILE = {"M": 64, "N": 64, "K": 64, "PRECISION": "tf32"}
HALVES = {"a_ptr": "*fp16:16", "b_ptr": "*fp16:16"}


def thorough(answer: Told) -> Told:
    found = verdicts(answer.compilation, slower=True)
    for verdict in found:
        check(answer.compilation, verdict)
    return Told(answer.compilation, tuple(found))


def test_conflicts_with_the_layouts_that_cause_them(told: Tell) -> None:
    dot = thorough(told("dots::one_dot", "sm_75", TILE, HALVES))
    verdict = dot.one(RULE, "ways at most")
    assert verdict.tone == "bad"
    conflicting = [access for access in banks.accesses(dot.compilation.text("ptx")) if (access.ways or 0) > 1]
    assert conflicting
    assert f"{max(access.ways or 0 for access in conflicting)} ways at most" in verdict.sentence
    turns, ideal = (sum(getattr(access, name) for access in conflicting) for name in ("wavefronts", "ideal"))
    assert f"{turns} turns of a warp instead of {ideal}; by the layouts of ttg.local_alloc" in verdict.sentence
    assert all("st.shared" in row for row in dot.rows(verdict, "ptx"))
    # The layout on each side by its name in TTGIR, where the row of the operation has it.
    named = re.findall(r"#\w+", verdict.sentence)
    assert any("shared" in name for name in named) and any("shared" not in name for name in named)
    assert all(any(name in row for row in dot.rows(verdict, "ttgir")) for name in named)


def test_none(told: Tell) -> None:
    transpose = thorough(told("exchanges::transpose", "sm_90", {"SIZE": 64}))
    assert {access.ways for access in banks.accesses(transpose.compilation.text("ptx"))} == {1}
    verdict = transpose.one(RULE)
    assert verdict.tone == "good" and "No bank conflicts: 64 plain accesses" in verdict.sentence


def test_addresses_that_are_not_known(told: Tell) -> None:
    dot = thorough(told("dots::one_dot", "sm_80", TILE, HALVES))
    unknown = [access for access in banks.accesses(dot.compilation.text("ptx")) if access.ways is None]
    found = [verdict for verdict in dot.of(RULE) if verdict.tone == "unknown"]
    assert bool(unknown) == bool(found)
    assert all(f"{len(unknown)} could not be looked at" in verdict.sentence for verdict in found)


def test_only_where_there_is_time_for_it(told: Tell) -> None:
    assert not told("exchanges::transpose", "sm_90", {"SIZE": 64}).of(RULE)
    assert not thorough(told("costly::adds", "sm_90", {"BLOCK": 512})).of(RULE)


def test_what_the_hardware_moves_by_itself_is_named(told: Tell) -> None:
    loop = thorough(told("dots::loop", "sm_90", {"SIZE": 128}, HALVES))
    verdict = loop.one(RULE, "Not looked at")
    found = Counter(other.name for other in banks.own_traffic(loop.compilation.text("ptx")))
    assert set(found) == {"cp.async", "wgmma"}
    assert verdict.tone == "unknown"
    assert all(f"{number} {name} (" in verdict.sentence for name, number in found.items())


def test_lds_is_not_looked_at(told: Tell) -> None:
    transpose = thorough(told("exchanges::transpose", "gfx942", {"SIZE": 64}))
    verdict = transpose.one(RULE)
    assert verdict.tone == "unknown" and "LDS" in verdict.sentence
    assert all(row.strip().startswith("ds_") for row in transpose.rows(verdict, "amdgcn"))
