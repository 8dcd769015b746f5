"""A launch in a screenful of text, and as the JSON document of ``irscope launch --format json``."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from irscope import __version__
from irscope.launch import history
from irscope.launch.model import Argument, Ceilings, Check, Figures, Launch, Output, Site, Timing
from irscope.report.summary import number, table

#: How the fields of `Figures` are called.
FIGURES = {
    "registers": "registers",
    "local_bytes": "local bytes",
    "shared_static_bytes": "static shared",
    "shared_dynamic_bytes": "dynamic shared",
    "max_threads": "max threads",
    "blocks_per_sm": "blocks an SM",
}


def schema() -> dict[str, Any]:
    """The JSON schema that `document`, `sites_document` and a failure fit."""
    loaded = json.loads(Path(__file__).with_name("launch_schema.json").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def document(launch: Launch, earlier: Sequence[Launch] = ()) -> dict[str, Any]:
    """One JSON object: the fields of `irscope.launch.model.Launch`, and what follows from them."""
    return {
        "irscope": __version__,
        **jsonable(asdict(launch)),
        "gb_s": launch.gb_s,
        "tflop_s": launch.tflop_s,
        "copy_share": launch.copy_share,
        "matmul_share": launch.matmul_share,
        "disagreements": list(launch.disagreements),
        "earlier": [
            {
                "when": other.when,
                "options": options_words(other),
                "median": other.timing.median if other.timing else None,
                "ratio": history.ratio(launch, other),
            }
            for other in earlier
        ],
    }


def sites_document(sites: Iterable[Site], warnings: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "irscope": __version__,
        "launches": [jsonable(asdict(site)) for site in sites],
        "warnings": list(warnings),
    }


def jsonable(value: Any) -> Any:
    """A value as JSON has it: NaN and infinities, which JSON lacks, as text."""
    if isinstance(value, dict):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def summary(launch: Launch, earlier: Sequence[Launch] = ()) -> str:
    blocks = [
        heading(launch),
        argument_table(launch.arguments),
        table(list(speed_rows(launch))),
        output_table(launch.outputs),
        "\n".join(f"wrote {output.file}" for output in launch.outputs if output.file),
        figure_table(launch.static, launch.driver),
        check_words(launch),
        history_table(launch, earlier),
    ]
    return "\n\n".join(block for block in blocks if block)


def check_words(launch: Launch) -> str:
    check = launch.check
    if check is None:
        return ""
    if launch.device is None and check.against == "interpreter":
        return interpreted_words(check)
    return "\n".join(check_lines(check))


def heading(launch: Launch) -> str:
    place = f"{launch.site.file}:{launch.site.line} in {launch.site.function}" if launch.site else launch.file
    where = f"{launch.device.name}, {launch.device.arch}" if launch.device else "Triton's interpreter, on the CPU"
    parts = [f"{launch.kernel}  {place}", where, f"grid {grid_words(launch.grid)}", options_words(launch)]
    if launch.seed is not None and launch.source == "inputs":
        parts.append(f"seed {launch.seed}")
    return "   ".join(part for part in parts if part)


def grid_words(grid: Sequence[int]) -> str:
    shown = list(grid)
    while len(shown) > 1 and shown[-1] == 1:
        shown.pop()
    return " x ".join(number(size) for size in shown)


def options_words(launch: Launch) -> str:
    """The constants and options that a user changes between launches: ``BLOCK=128 num_warps=4 num_stages=3``."""
    return " ".join(f"{name}={value}" for name, value in chosen(launch).items())


def chosen(launch: Launch) -> dict[str, Any]:
    """Constants and main options by name; not the arguments that Triton made constants of, since they are 1, say."""
    options, arguments = launch.specialization.options, {argument.name for argument in launch.arguments}
    shown = {name: value for name, value in launch.specialization.constexprs.items() if name not in arguments}
    shown.update({name: options[name] for name in ("num_warps", "num_stages", "maxnreg") if options.get(name)})
    return shown


def differing_words(launch: Launch, other: Launch) -> str:
    """What ``other`` was launched with where that is not what ``launch`` was."""
    ours = chosen(launch)
    words = [f"{name}={value}" for name, value in chosen(other).items() if ours.get(name) != value]
    words += [f"no {name}" for name in ours if name not in chosen(other)]
    return " ".join(words) or "with the same options"


def argument_table(arguments: Sequence[Argument]) -> str:
    return table(
        [
            (
                argument.name,
                argument.type,
                shape_words(argument.shape) if argument.shape is not None else str(argument.value),
                size_words(argument.bytes),
                argument.how,
            )
            for argument in arguments
        ],
        right=(3,),
    )


def shape_words(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "one element"


def size_words(size: float | None) -> str:
    if size is None:
        return ""
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.3g} {unit}"
        size /= 1000
    return ""


def speed_rows(launch: Launch) -> Iterable[tuple[str, str, str]]:
    if launch.timing is not None:
        yield "time", time_words(launch.timing.median), spread_words(launch.timing)
    if launch.graph is not None:
        yield "in a graph", time_words(launch.graph.median), spread_words(launch.graph)
    if launch.gb_s is not None:
        yield "bandwidth", f"{launch.gb_s:,.0f} GB/s", copy_words(launch)
    if launch.tflop_s is not None:
        yield "arithmetic", f"{launch.tflop_s:,.3g} TFLOP/s", matmul_words(launch)


def time_words(microseconds: float) -> str:
    return f"{microseconds / 1000:,.3f} ms" if microseconds >= 1000 else f"{microseconds:.2f} µs"


def spread_words(timing: Timing) -> str:
    cache = "L2 flushed" if timing.method == "events" else "L2 warm"
    words = f"p20 {time_words(timing.p20)}, p80 {time_words(timing.p80)}, {number(timing.runs)} runs, {cache}"
    return f"{words}; a wide spread: the GPU's clock moves, or it does other work" if timing.wide else words


def copy_words(launch: Launch) -> str:
    moved = f"{size_words(launch.bytes)} read and written"
    if launch.copy_share is None or launch.ceilings is None:
        return moved
    return f"{moved}, {launch.copy_share:.0%} of a copy's {launch.ceilings.copy_gb_s:,.0f} GB/s"


def matmul_words(launch: Launch) -> str:
    done = f"{(launch.flops or 0) * 1e-9:,.4g} GFLOP of {launch.flops_type or 'all'} operations"
    if launch.matmul_share is None:
        return done
    ceiling = ceiling_words(launch.ceilings, launch.flops_type)
    return f"{done}, {launch.matmul_share:.0%} of torch.matmul's {ceiling}"


def ceiling_words(ceilings: Ceilings | None, type_: str | None) -> str:
    reached = ceilings.matmul_tflop_s.get(type_) if ceilings and type_ else None
    return "" if reached is None else f"{reached:,.3g} TFLOP/s"


def output_table(outputs: Sequence[Output], *, narrow: bool = False) -> str:
    """``narrow``: without what `rest_words` says of each."""
    if not outputs:
        return ""
    rows = [("written", "type", "shape", "min", "max", "mean", "NaN", "Inf", "elements", "first")]
    for output in outputs:
        rows.append(
            (
                output.name,
                output.type,
                shape_words(output.shape),
                value_words(output.minimum),
                value_words(output.maximum),
                value_words(output.mean),
                number(output.nan),
                number(output.inf),
                written_words(output),
                first_words(output),
            )
        )
    return table(
        [(*row[:6], row[8]) for row in rows] if narrow else rows, right=(3, 4, 5) if narrow else (3, 4, 5, 6, 7)
    )


def rest_words(output: Output) -> str:
    return f"NaN {number(output.nan)}  Inf {number(output.inf)}  first {first_words(output)}"


def first_words(output: Output) -> str:
    return " ".join("-" if value is None else value_words(value) for value in output.first[:4])


def written_words(output: Output) -> str:
    if output.written is None:
        words = "not known"
    elif output.programs_run is not None and output.programs is not None:
        ran = f"{number(output.programs_run)} of {number(output.programs)} programs"
        words = f"{number(output.written)} written, by the {ran} that ran"
    elif output.changed_only:
        words = f"{number(output.written)} changed"
    elif output.written == output.elements:
        words = "all written"
    else:
        words = f"{number(output.elements - output.written)} never written"
    return f"{words}, {number(output.outside)} OUTSIDE it" if output.outside else words


def value_words(value: Any) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def figure_table(static: Figures | None, driver: Figures | None) -> str:
    """The driver's figures beside those that irscope read from the binary; a difference is an error of irscope's."""
    if driver is None:
        return ""
    rows = [("", "irscope", "driver", "")]
    for name, label in FIGURES.items():
        ours = getattr(static, name) if static is not None else None
        theirs = getattr(driver, name)
        if theirs is None and ours is None:
            continue
        differs = None not in (ours, theirs) and ours != theirs
        rows.append((label, "" if ours is None else number(ours), number(theirs), WRONG if differs else ""))
    return table(rows, right=(1, 2))


WRONG = "irscope is wrong: please report it"


def check_lines(check: Check) -> Iterable[str]:
    against = "Triton's interpreter" if check.against == "interpreter" else "the file's own reference"
    if not check.comparisons:
        yield f"check against {against}: {check.message or 'nothing to compare'}"
        return
    ran = ""
    if check.programs and check.programs_run is not None and check.programs_run < check.programs:
        ran = f", {number(check.programs_run)} of {number(check.programs)} programs"
    yield f"check against {against}{ran}: {'PASS' if check.passed else 'FAIL'}"
    for entry in check.comparisons:
        error = "not compared" if entry.error is None else f"error {entry.error:.2e} (limit {entry.tolerance:.0e})"
        part = (
            ""
            if entry.compared == entry.elements
            else f", {number(entry.compared)} of {number(entry.elements)} elements"
        )
        yield f"  {entry.name}: {error}{part}{'' if entry.passed else '   FAIL'}"
    if check.message:
        yield f"  {check.message}"


def interpreted_words(check: Check) -> str:
    """For a launch in the interpreter alone, which there is nothing to compare with."""
    ran = f"{number(check.programs_run)} of {number(check.programs)} programs"
    took = f" in {check.seconds:.1f} s" if check.seconds is not None else ""
    return f"run in Triton's interpreter: {ran}{took}; --check file compares it with the file's own reference"


def history_table(launch: Launch, earlier: Sequence[Launch], most: int = 5) -> str:
    rows = []
    for other in reversed(earlier[-most:]):
        against = history.ratio(launch, other)
        if other.timing is None or against is None:
            continue
        rows.append(
            (
                other.when[:16].replace("T", " "),
                time_words(other.timing.median),
                f"{against:.2f}",
                differing_words(launch, other),
            )
        )
    return table([("before", "time", "now is", ""), *rows], right=(1, 2)) if rows else ""


def site_table(sites: Sequence[Site]) -> str:
    """The file's own launches, one a line: what ``--list`` prints."""
    rows = [("launch", "kernel", "place", "grid", "times", "arguments")]
    for site in sites:
        arguments = " ".join(f"{name}={value}" for name, value in {**site.arguments, **site.constexprs}.items())
        place = f"{site.file}:{site.line} {site.function}"
        rows.append((str(site.number), site.kernel, place, grid_words(site.grid), str(site.count), arguments))
    return table(rows, right=(0, 4))
