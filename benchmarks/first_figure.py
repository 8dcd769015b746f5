"""One launch by irscope, as its TUI asks for it: prints the first median, in microseconds, as soon as it is there.

    python benchmarks/first_figure.py FILE::KERNEL [COUNT]

With COUNT, the median of so many launches instead, half a second apart.
"""

import statistics
import sys
import time
from pathlib import Path

from irscope.events import Event
from irscope.launch import run
from irscope.launch.model import LaunchRequest
from irscope.request import Request


def main() -> None:
    path, _, kernel = sys.argv[1].rpartition("::")
    request = LaunchRequest(Request(Path(path), kernel))
    if len(sys.argv) > 2:
        print(statistics.median(median(request, turn) for turn in range(int(sys.argv[2]))), flush=True)
        return
    told = False

    def follow(event: Event) -> None:
        nonlocal told
        if isinstance(event, run.Timed) and event.launch.timing is not None and not told:
            told = True
            print(event.launch.timing.median, flush=True)

    run.launch(request, follow)


def median(request: LaunchRequest, turn: int) -> float:
    time.sleep(0.5 if turn else 0)
    timing = run.launch(request).timing
    assert timing is not None
    return timing.median


if __name__ == "__main__":
    main()
