"""How often a launch is timed and what becomes of the times, with times given by hand; the GPU's are in tests/cuda."""

from __future__ import annotations

import random
from typing import Any

import pytest

from irscope.worker.launch import measure


class Sent:
    """A wire that keeps what is sent."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def send(self, event: str, **fields: Any) -> None:
        self.events.append((event, fields))

    def named(self, event: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self.events if name == event]


def timed(monkeypatch: pytest.MonkeyPatch, single: float, reset: bool = False) -> tuple[Any, Any, Sent, list[str]]:
    """`measure.time_launch` of a kernel of so many microseconds, and what ran in which order."""
    ran: list[str] = []

    def event_times(run: measure.Run, before: measure.Run, count: int) -> list[float]:
        for _ in range(count):
            before()
            run()
        return [single] * count

    monkeypatch.setattr(measure, "event_times", event_times)
    monkeypatch.setattr(measure, "flusher", lambda: lambda: ran.append("flush"))
    monkeypatch.setattr(measure, "graph_times", lambda run, median: ([median / 2] * 20, "graph", 20 * 50))
    wire = Sent()
    timing, graph, _ = measure.time_launch(
        lambda: ran.append("run"), (lambda: ran.append("reset")) if reset else None, wire
    )
    return timing, graph, wire, ran


def test_quantiles_are_tritons() -> None:
    from triton.testing import _quantile

    chance = random.Random(0)
    for size in (1, 2, 3, 10, 99):
        times = [chance.random() for _ in range(size)]
        ours = [measure.quantile(times, share) for share in (0.2, 0.5, 0.8)]
        assert ours == pytest.approx(_quantile(times, [0.2, 0.5, 0.8]))


@pytest.mark.parametrize(
    ("single", "runs"), [(0.0, 999), (5.0, 952), (500.0, 165), (15_000.0, 10), (90_000.0, 10), (400_000.0, 5),
                         (30_000_000.0, 3)],
)  # fmt: skip
def test_runs_fit_the_time_there_is(single: float, runs: int) -> None:
    assert measure.repeats(single, 100.0) == pytest.approx(runs, rel=0.02)


def test_a_short_kernel_has_its_first_figure_before_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    timing, graph, wire, _ = timed(monkeypatch, 8.0)
    assert (timing["median"], timing["method"], timing["runs"]) == (8.0, "events", 1000)
    assert (graph["median"], graph["method"], graph["runs"]) == (4.0, "graph", 1000)
    assert [event["graph"] for event in wire.named("timing")] == [None, graph]


def test_a_slow_kernel_tells_a_figure_and_progress_early(monkeypatch: pytest.MonkeyPatch) -> None:
    timing, graph, wire, ran = timed(monkeypatch, 900_000.0)
    assert (timing["runs"], graph) == (3, None)
    assert [event["timing"]["runs"] for event in wire.named("timing")] == [1, 3]
    assert [(event["done"], event["total"]) for event in wire.named("phase")] == [(0, 3), (1, 3), (2, 3)]
    assert ran.count("run") == 4, "seconds of warm-up would be felt"


def test_the_l2_is_flushed_last_before_each_timed_run(monkeypatch: pytest.MonkeyPatch) -> None:
    _, graph, _, ran = timed(monkeypatch, 8.0, reset=True)
    assert graph is None, "launches in a graph follow each other without a reset"
    runs = [place for place, what in enumerate(ran) if what == "run"]
    assert all(ran[place - 2 : place] == ["reset", "flush"] for place in runs)
