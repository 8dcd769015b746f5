"""Bank conflicts as verdicts; how they are counted is tested with `irscope.analysis.banks`."""

from __future__ import annotations

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
