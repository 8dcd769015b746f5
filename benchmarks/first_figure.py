"""One launch by irscope, as its TUI asks for it: prints the first median, in microseconds, as soon as it is there.

    python benchmarks/first_figure.py FILE::KERNEL [LAST]

With LAST, the median of the whole launch instead of the first figure.
"""

import sys
from pathlib import Path

from irscope.launch import run
from irscope.launch.model import LaunchRequest
from irscope.request import Event, Request


def main() -> None:
    path, _, kernel = sys.argv[1].rpartition("::")
    last = len(sys.argv) > 2
    told = False

    def follow(event: Event) -> None:
        nonlocal told
        if isinstance(event, run.Timed) and event.launch.timing is not None and not last and not told:
            told = True
            print(event.launch.timing.median, flush=True)

    found = run.launch(LaunchRequest(Request(Path(path), kernel)), follow)
    if last and found.timing is not None:
        print(found.timing.median, flush=True)


if __name__ == "__main__":
    main()
