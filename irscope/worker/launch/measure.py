"""Time a prepared launch, and see what it writes.

As `triton.testing.do_bench` does: CUDA events around each run, the L2 overwritten before it. The results agree,
since what is between the events is the same.
"""

from __future__ import annotations

import gc
import math
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..protocol import Rejected
from . import copies, driver, faults, outputs, prepare
from .settle import Prepared

#: What is overwritten before each run: `do_bench`'s size, and never less than twice the L2.
FLUSH_BYTES = 256 << 20
#: Microseconds of GPU time, as `do_bench` has them: to bring the clocks up, and to be timed in. Longer measures
#: another clock: a large matrix product draws so much power that the GPU slows down within some tenths of a second.
WARM_UP = 25_000.0
BUDGET = 100_000.0
#: For slow kernels: no longer than this, but some runs all the same.
LONGEST = 2_000_000.0
RUNS = range(10, 1000)
FEWEST_RUNS = 3
#: Nothing is taken to be shorter, an empty grid neither.
SHORTEST = 0.1
#: From here on, each run is waited for and told about.
SLOW = 100_000.0
#: Below this many microseconds, what an event itself takes shows: a graph of many launches has none between them.
GRAPH_BELOW = 20.0
GRAPH_MICROSECONDS = 1000.0
GRAPH_LAUNCHES = range(20, 500)
GRAPH_REPLAYS = 20

Run = Callable[[], Any]


def measure_launch(request: dict[str, Any], wire: Any) -> dict[str, Any]:
    """Answer ``measure_launch``: the timing as an event as soon as it is there, then the outputs.

    The arguments hold their values of before again when it returns.
    """
    import torch

    prepared = the_prepared()
    read, written = request.get("read"), request.get("written")
    warnings: list[str] = []
    with faults.told(wire, faults.subject_of(prepared)), torch.cuda.device(prepared.device):
        wire.send("phase", phase="warming up")
        watched = outputs.observed(copies.tensors_of(prepared.arguments), read, written)
        snapshot = copies.Snapshot(watched.tensors)
        if snapshot.on_cpu:
            warnings.append("the GPU's memory does not hold copies of what the kernel writes: they are on the CPU")
        if 0 in prepared.grid:
            warnings.append(f"the grid {tuple(prepared.grid)} is empty: nothing runs")
        compiled = prepared.run()
        # An error of the kernel's surfaces here, and not in whatever comes next.
        torch.cuda.synchronize()
        reset = steering(watched.compared, snapshot)
        timing, graph, notes = time_launch(prepared.run, (lambda: snapshot.restore(reset)) if reset else None, wire)
        warnings += notes
        wire.send("phase", phase="reading back")

        def run_once() -> None:
            prepared.run()
            torch.cuda.synchronize()

        save = Path(request["save"]) if request.get("save") else None
        described, notes = outputs.observe(watched, snapshot, prepared.guards, run_once, written is not None, save)
        return {
            "timing": timing,
            "graph": graph,
            "outputs": described,
            "driver": driver.figures(prepared.compiled or compiled),
            "warnings": warnings + notes,
        }


def the_prepared() -> Prepared:
    if prepare.current is None:
        raise Rejected("internal", "no launch is prepared")
    return prepare.current


def steering(tensors: dict[str, Any], snapshot: copies.Snapshot) -> list[str]:
    """Tensors that one launch changed and that could steer the next: integers are counters, locks and indices.

    These get their values back before each timed run. Others keep what a run leaves in them: the time of a kernel
    does not depend on the values of what it computes with, unless it loops until they converge.
    """
    return [
        name
        for name, tensor in tensors.items()
        if not tensor.is_floating_point() and outputs.changed_elements(tensor, snapshot.view(name))
    ]


def time_launch(
    run: Run, reset: Run | None, wire: Any
) -> tuple[dict[str, Any], dict[str, Any] | None, list[str]]:  # fmt: skip
    """The timing by events, that by a graph for short kernels, and warnings. It has run once already.

    `reset` gives the arguments what the next run needs; it runs before each one, outside of the time.
    """
    flush = flusher()

    def before() -> None:
        if reset is not None:
            reset()
        flush()

    (single,) = event_times(run, before, 1)
    if single < SLOW:
        single = statistics.median(event_times(run, before, 5))
        overhead = statistics.median(event_times(before, nothing, 3))
        if reset is None:
            for _ in range(min(RUNS.stop, math.ceil(WARM_UP / max(single, GRAPH_BELOW)))):
                run()
        wire.send("phase", phase="timing")
        times = event_times(run, before, repeats(single, overhead))
    else:
        times = slow_times(run, before, single, wire)
    timing = described(times, "events")
    wire.send("timing", timing=timing, graph=None)
    if timing["median"] >= GRAPH_BELOW or reset is not None:
        return timing, None, []
    try:
        graph = described(*graph_times(run, timing["median"]))
    except RuntimeError as error:
        # Not every launch can be recorded; one that failed shows as soon as the device is waited for.
        import torch

        torch.cuda.synchronize()
        return timing, None, [f"not timed in a CUDA graph: {faults.first_line(error)}"]
    wire.send("timing", timing=timing, graph=graph)
    return timing, graph, []


def slow_times(run: Run, before: Run, first: float, wire: Any) -> list[float]:
    """Runs that each take long: a first figure at once, and progress."""
    count = repeats(first, 0.0)
    times: list[float] = []
    for done in range(count):
        wire.send("phase", phase="timing", done=done, total=count)
        times += event_times(run, before, 1)
        if done == 0:
            wire.send("timing", timing=described(times, "events"), graph=None)
    return times


def repeats(single: float, overhead: float) -> int:
    """How many runs of so many microseconds, each after an overhead, make a measurement."""
    single = max(single, SHORTEST)
    wanted = min(max(int(BUDGET / (single + overhead)), RUNS.start), RUNS.stop)
    return max(FEWEST_RUNS, min(wanted, int(LONGEST / single)))


def nothing() -> None:
    return None


def flusher() -> Run:
    """What leaves nothing of the kernel's in the L2."""
    import torch

    cache = torch.cuda.get_device_properties(torch.cuda.current_device()).L2_cache_size
    sizes = (max(FLUSH_BYTES, 2 * cache), 2 * cache, cache)
    for size in sizes:
        try:
            buffer = torch.empty(size // 4, dtype=torch.int32, device="cuda")
        except torch.cuda.OutOfMemoryError:
            if size == sizes[-1]:
                raise
        else:
            break
    return buffer.zero_


def event_times(run: Run, before: Run, count: int) -> list[float]:
    """Microseconds of so many runs, each after ``before``; the CPU is ahead of the GPU all the while."""
    import torch

    event: Any = torch.cuda.Event
    events = [(event(enable_timing=True), event(enable_timing=True)) for _ in range(count)]
    for start, end in events:
        before()
        start.record()
        run()
        end.record()
    torch.cuda.synchronize()
    return [start.elapsed_time(end) * 1e3 for start, end in events]


def graph_times(run: Run, single: float) -> tuple[list[float], str, int]:
    """Microseconds of a launch among many in a CUDA graph, of some replays; "graph"; launches in all."""
    import torch

    launches = min(max(int(GRAPH_MICROSECONDS / max(single, SHORTEST)), GRAPH_LAUNCHES.start), GRAPH_LAUNCHES.stop)
    graph = torch.cuda.CUDAGraph()
    collecting = gc.isenabled()
    # A kernel that is collected while it records would unload its module, which a recording does not allow.
    gc.disable()
    try:
        with torch.cuda.graph(graph):
            for _ in range(launches):
                run()
    finally:
        if collecting:
            gc.enable()
    graph.replay()
    times = [time / launches for time in event_times(graph.replay, nothing, GRAPH_REPLAYS)]
    return times, "graph", launches * GRAPH_REPLAYS


def described(times: list[float], method: str, runs: int | None = None) -> dict[str, Any]:
    """The fields of ``launch.model.Timing``."""
    return {
        "method": method,
        "median": statistics.median(times),
        "p20": quantile(times, 0.2),
        "p80": quantile(times, 0.8),
        "runs": runs or len(times),
    }


def quantile(values: list[float], share: float) -> float:
    """Between the two nearest values, in proportion."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low, high = math.floor(place), math.ceil(place)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
