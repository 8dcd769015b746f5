"""Edges as values: followed both ways, composed, and kept as JSON."""

from __future__ import annotations

import json

import pytest

from irscope.edges import Edge, Edges, Span, from_json, to_json

CALL = Span("k.py", 9, 5, 9, 12)
EXPRESSION = Span("k.py", 3, 9, 4, 2)
EDGES = Edges(
    edges=(
        Edge("ttir", "ttgir", True, None, {1: (0,), 2: (0, 1), 5: (3,)}),
        Edge("ttgir", "ptx", False, "2 of 9 rows differ", {0: (1,), 3: (2,), 4: (2,), 8: (7,)}, frozenset({4})),
    ),
    spans={0: (EXPRESSION,), 1: (EXPRESSION, CALL), 3: (CALL,)},
    seconds=0.5,
)


def test_edges_are_followed_down_and_up_over_several_stages() -> None:
    assert EDGES.stages == ("ttir", "ttgir", "ptx")
    assert list(EDGES.rows("ttir", [0], "ttgir")) == [1, 2]
    assert list(EDGES.rows("ttir", [0], "ptx")) == [0, 3, 4]
    assert list(EDGES.rows("ttir", [1], "ptx")) == [3, 4]
    assert list(EDGES.rows("ptx", [3], "ttir")) == [0, 1]
    assert list(EDGES.rows("ptx", [3, 0], "ttgir")) == [1, 2]
    assert list(EDGES.rows("ttgir", [2], "ttgir")) == [2]


def test_what_has_no_edge_leads_nowhere() -> None:
    assert not EDGES.rows("ptx", [8], "ttir")
    assert not EDGES.rows("ttir", [3], "ptx")
    assert not EDGES.rows("ttir", [0], "sass")
    assert not EDGES.rows("sass", [0], "ttir")
    assert not Edges().rows("ttir", [0], "ptx")
    assert not EDGES.expressions("ptx", 8)
    assert not Edges().expressions("ttir", 0)


def test_one_edge_that_is_not_exact_makes_the_way_approximate() -> None:
    assert EDGES.is_exact("ttir", "ttgir")
    assert EDGES.is_exact("ttgir", "ttir")
    assert not EDGES.is_exact("ptx", "ttir")
    assert not EDGES.is_exact("ttir", "sass")


def test_expressions_of_a_row_with_their_calls() -> None:
    assert EDGES.expressions("ttgir", 1) == ((EXPRESSION,),)
    assert EDGES.expressions("ptx", 4) == ((EXPRESSION,), (EXPRESSION, CALL))


def test_a_place_without_extent_is_empty() -> None:
    assert Span("k.py", 3, 1, 3, 1).is_empty
    assert not EXPRESSION.is_empty


def test_edges_come_back_from_json_as_they_were() -> None:
    for edges in (EDGES, Edges(), Edges(reason="read from a file")):
        assert from_json(json.loads(json.dumps(to_json(edges)))) == edges


@pytest.mark.parametrize("change", [{"format": 99}, {"spans": [[7, 1, 1, 1, 1]]}, {"edges": [{}]}, {"files": None}])
def test_other_json_is_refused(change: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError, IndexError)):
        from_json({**to_json(EDGES), **change})
