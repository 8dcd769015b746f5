"""How fast, and how much of, a compilation is mapped to its source: irscope beside tritonparse.

    python benchmarks/correlation.py --stages DIR [--tritonparse PYTHON]

DIR holds the stages of one compilation, named by their extensions (``matmul.ttir``, ``matmul.ptx``, ...).
PYTHON is an interpreter that has tritonparse (0.6.0; it needs torch); without it only irscope's own figures
are printed.

Both tools parse the same texts and join all stages; each is timed inside its own process, in turns, and the
ratio is that of the medians. The share is that of irscope's operation rows which each tool gives a file and a
line from 1.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any

STAGES = ("ttir", "ttgir", "glir", "llir", "ptx", "sass", "amdgcn")

Result = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stages", type=Path, required=True, metavar="DIR", help="files of one compilation")
    parser.add_argument("--tritonparse", type=Path, metavar="PYTHON", help="interpreter that has tritonparse")
    parser.add_argument("--rounds", type=int, default=5, help="turns that each tool takes (default 5)")
    parser.add_argument("--repeats", type=int, default=20, help="measurements in a turn (default 20)")
    parser.add_argument("--measure", choices=("irscope", "tritonparse"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure = measure_irscope if arguments.measure == "irscope" else measure_tritonparse
        json.dump(measure(read_stages(arguments.stages), arguments.repeats), sys.stdout)
        return 0
    tools = {"irscope": Path(sys.executable)}
    if arguments.tritonparse:
        tools["tritonparse"] = arguments.tritonparse
    turns: dict[str, list[Result]] = {tool: [] for tool in tools}
    for _ in range(arguments.rounds):
        for tool, python in tools.items():
            turns[tool].append(run(python, tool, arguments.stages, arguments.repeats))
    print_table({tool: merge(results) for tool, results in turns.items()})
    return 0


def read_stages(directory: Path) -> dict[str, str]:
    """Text by stage, in the order of compilation."""
    found = {path.suffix[1:]: path for path in sorted(directory.iterdir())}
    return {stage: found[stage].read_text(encoding="utf-8") for stage in STAGES if stage in found}


def run(python: Path, tool: str, stages: Path, repeats: int) -> Result:
    """One turn of a tool, in a process of its own."""
    command = [python, __file__, "--stages", stages, "--measure", tool, "--repeats", str(repeats)]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        raise SystemExit(f"{tool} failed in {python}:\n{done.stderr}")
    result: Result = json.loads(done.stdout)
    return result


def merge(results: list[Result]) -> Result:
    """Rows of the last turn, and the times of all."""
    merged = dict(results[-1])
    merged["seconds"] = {
        name: [second for result in results for second in result["seconds"][name]] for name in merged["seconds"]
    }
    return merged


def timed(seconds: list[float], work: Callable[[], Any]) -> Any:
    start = time.perf_counter()
    result = work()
    seconds.append(time.perf_counter() - start)
    return result


def measure_irscope(texts: dict[str, str], repeats: int) -> Result:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from irscope import ir
    from irscope.correlate import Correlation

    seconds: dict[str, list[float]] = {name: [] for name in (*texts, "join")}
    for _ in range(repeats + 1):
        indexes = {name: timed(seconds[name], partial(ir.index, name, texts[name])) for name in texts}

        def join(indexes: dict[str, ir.StageIndex] = indexes) -> None:
            correlation = Correlation(indexes)
            for name, index in indexes.items():
                # The first query of a stage builds its tables.
                first = next((row for row, chain in enumerate(index.chains) if chain), 0)
                correlation.related(name, first)

        timed(seconds["join"], join)
    return {
        "seconds": {name: values[1:] for name, values in seconds.items()},
        "operations": {
            name: [row for row, is_operation in enumerate(index.operations) if is_operation]
            for name, index in indexes.items()
        },
        "mapped": {name: [row for row, chain in enumerate(index.chains) if chain] for name, index in indexes.items()},
    }


def measure_tritonparse(texts: dict[str, str], repeats: int) -> Result:
    """What ``tritonparse.parse.trace_processor`` does for a compilation, without its reading and writing."""
    mapper = import_module("tritonparse.parse.mapper")
    generate_source_mappings = import_module("tritonparse.parse.trace_processor").generate_source_mappings

    metadata = {"backend_name": "hip" if "amdgcn" in texts else "cuda"}
    seconds: dict[str, list[float]] = {name: [] for name in (*texts, "join")}
    for _ in range(repeats + 1):
        maps: dict[str, Any] = {}
        for name, text in texts.items():
            parse = partial(generate_source_mappings, text, name, list(maps.values()) or None, metadata)
            maps[name] = timed(seconds[name], parse)
        rows = {
            name: sorted(
                int(line) - 1
                for line, entry in entries.items()
                if entry.get("kind") != "loc_def" and entry.get("file") and int(entry.get("line") or 0) > 0
            )
            for name, entries in maps.items()
        }

        def join(maps: dict[str, Any] = maps) -> None:
            for first, second in combinations(maps, 2):
                mapper.create_bidirectional_mapping(maps[first], maps[second], first, second)
            mapper.create_python_mapping(list(maps.items()))

        timed(seconds["join"], join)
    return {"seconds": {name: values[1:] for name, values in seconds.items()}, "mapped": rows}


def print_table(results: dict[str, Result]) -> None:
    ours, theirs = results["irscope"], results.get("tritonparse")
    print(f"{'stage':8}{'operations':>12}{'ms':>10}{'ms theirs':>12}{'ratio':>8}{'mapped':>10}{'theirs':>10}")
    times: dict[str, tuple[float, float]] = {}
    for name, values in ours["seconds"].items():
        times[name] = (median(values), median(theirs["seconds"][name]) if theirs else 0.0)
        operations = set(ours.get("operations", {}).get(name, ()))
        shares = [share(operations, result["mapped"].get(name, ())) for result in (ours, theirs) if result]
        print_row(name, len(operations), times[name], shares if operations else [])
    parsed = [time for name, time in times.items() if name != "join"]
    print_row("parse", 0, (sum(own for own, _ in parsed), sum(other for _, other in parsed)), [])
    print_row("total", 0, tuple(map(sum, zip(*times.values(), strict=True))), [])


def share(operations: set[int], mapped: list[int]) -> float:
    return len(operations.intersection(mapped)) / max(1, len(operations))


def print_row(name: str, operations: int, times: tuple[float, ...], shares: list[float]) -> None:
    own, other = times
    row = f"{name:8}{operations or '':>12}{own * 1e3:>10.2f}"
    row += f"{other * 1e3:>12.2f}{other / own:>7.1f}x" if other else " " * 20
    print(row + "".join(f"{value:>10.1%}" for value in shares))


if __name__ == "__main__":
    raise SystemExit(main())
