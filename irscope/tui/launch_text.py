"""What the launch panel says of a launch, as styled text. No widgets here."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from textual.content import Content

from irscope.launch import history
from irscope.launch.model import Argument, Check, Launch, Output
from irscope.model import Failure, Kernel, Specialization
from irscope.report import launch as report
from irscope.report.summary import table
from irscope.tui.form_values import MAIN_OPTIONS, type_in_view

GOOD = ("✓ ", "$text-success")
BAD = ("✗ ", "$text-error")
ODD = ("! ", "$text-warning")
#: Cells between two columns of tables.
GAP = 4
#: Cells that words are not made narrower than.
LEAST = 20


def columns(launch: Launch, earlier: Sequence[Launch], width: int) -> list[Content]:
    """The tables of a launch, in two columns where both fit into ``width`` cells, else in one."""
    speed, check, figures, before = (
        speed_of(launch),
        check_of(launch.check),
        figures_of(launch),
        table_of_earlier(launch, earlier),
    )
    outputs, arguments = outputs_of(launch.outputs), arguments_of(launch.arguments)
    left, right = stack(speed, check, figures, before), stack(outputs, arguments)
    if left and right and widest(left) + GAP + widest(right) <= width:
        return [left, right]
    narrow = speed_of(launch, width), outputs_of(launch.outputs, width)
    return [stack(narrow[0], check, narrow[1], figures, arguments, before)]


def stack(*sections: Content) -> Content:
    return Content("\n\n").join(section for section in sections if section)


def widest(text: Content) -> int:
    return max((line.cell_length for line in text.split("\n")), default=0)


def titled(title: str, lines: Iterable[Content]) -> Content:
    body = list(lines)
    return Content("\n").join([Content.styled(title, "bold $primary"), *body]) if body else Content()


def headline(launch: Launch, earlier: Sequence[Launch] = ()) -> Content:
    """The figures that matter most, for the first line: time, rates, and whether all is as it should be."""
    parts: list[Content | str | tuple[str, str]] = []
    if launch.timing is not None:
        parts.append((report.time_words(launch.timing.median), "bold"))
        last = next((other for other in reversed(earlier) if other.timing is not None), None)
        before = history.ratio(launch, last) if last is not None else None
        parts.append(f"  {before:.2f} times the one before" if before is not None else "")
    if launch.gb_s is not None:
        parts.append(f"   {launch.gb_s:,.0f} GB/s{share_words(launch.copy_share)}")
    if launch.tflop_s is not None:
        parts.append(f"   {launch.tflop_s:,.3g} TFLOP/s{share_words(launch.matmul_share)}")
    check = launch.check
    if check is not None and check.comparisons:
        parts += ["   ", GOOD if check.passed else BAD, "check"]
    elif check is not None and launch.device is None and check.programs is not None:
        took = f" in {check.seconds:.1f} s" if check.seconds is not None else ""
        parts += [("run in Triton's interpreter", "bold"), f": {check.programs_run} of {check.programs} programs{took}"]
    if launch.disagreements:
        parts += ["   ", BAD, "driver"]
    return Content.assemble(*parts)


def share_words(share: float | None) -> str:
    return "" if share is None else f" ({share:.0%})"


def heading(launch: Launch) -> Content:
    """What was launched, where and when."""
    site = launch.site
    parts = [
        f"{Path(site.file).name}:{site.line} in {site.function}" if site is not None else "made inputs",
        f"seed {launch.seed}" if launch.seed is not None and launch.source == "inputs" else "",
        f"{launch.device.name}, {launch.device.arch}" if launch.device is not None else "",
        f"grid {report.grid_words(launch.grid)}",
        report.options_words(launch),
    ]
    said = "   ".join(part for part in parts if part)
    return Content.assemble(said, "   ", (launch.when[:16].replace("T", " "), "$text-muted"))


def speed_of(launch: Launch, width: int | None = None) -> Content:
    """``width``: the words beside a figure go on below where they would pass it."""
    rows = list(report.speed_rows(launch))
    name, value = (max((len(row[at]) for row in rows), default=0) for at in (0, 1))
    indent = name + value + 4
    room = max((width or 0) - indent, LEAST)
    lines = []
    for what, found, said in rows:
        first, *rest = textwrap.wrap(said, room) if width else [said]
        lines.append(Content.assemble((f"{what:{name}}  ", "$text-muted"), (f"{found:>{value}}  ", "bold"), first))
        lines += [Content(" " * indent + line) for line in rest]
    return titled("speed", lines)


def check_of(check: Check | None) -> Content:
    if check is None or not check.comparisons:
        return Content()
    first, *rest = report.check_lines(check)
    lines = [Content.assemble(GOOD if check.passed else BAD, first)]
    for entry, line in zip(check.comparisons, rest, strict=False):
        lines.append(Content.assemble(GOOD if entry.passed else BAD, line.strip()))
    lines += [Content(line) for line in rest[len(check.comparisons) :]]
    return titled("check", lines)


def figures_of(launch: Launch) -> Content:
    """The driver's figures beside irscope's; each that differs is an error of irscope's."""
    head, *rows = report.figure_table(launch.static, launch.driver).splitlines() or [""]
    if not rows:
        return Content()
    lines = [Content.styled(f"  {head}", "$text-muted")]
    for row in rows:
        wrong = report.WRONG in row
        lines.append(Content.assemble(BAD if wrong else "  ", (row, "$text-error") if wrong else row))
    count = len(launch.disagreements)
    title = (
        f"per block: {count} of irscope's figures are not the driver's" if count else "per block, as the driver says"
    )
    return titled(title, lines)


def outputs_of(outputs: Sequence[Output], width: int | None = None) -> Content:
    """``width``: what the table says last has a line of its own where the table would pass it."""
    if not outputs:
        return Content()
    head, *rows = report.output_table(outputs).splitlines()
    apart = width is not None and max(map(len, (head, *rows))) + 2 > width
    if apart:
        head, *rows = report.output_table(outputs, narrow=True).splitlines()
    lines = [Content.styled(f"  {head}", "$text-muted")]
    for output, row in zip(outputs, rows, strict=True):
        lines.append(Content.assemble(mark_of(output), row))
        if apart:
            lines.append(Content(f"    {report.rest_words(output)}"))
    files = [output.file for output in outputs if output.file]
    lines += [Content.styled(f"  wrote {file}", "$text-muted") for file in files]
    return titled("tensors written", lines)


def mark_of(output: Output) -> tuple[str, str]:
    if output.outside:
        return BAD
    incomplete = not output.changed_only and output.written is not None and output.written < output.elements
    return ODD if output.nan or output.inf or incomplete else GOOD


def arguments_of(arguments: Sequence[Argument]) -> Content:
    return titled("arguments", (Content(f"  {row}") for row in report.argument_table(arguments).splitlines()))


def table_of_earlier(launch: Launch, earlier: Sequence[Launch]) -> Content:
    head, *rows = report.history_table(launch, earlier).splitlines() or [""]
    return titled("earlier launches", (Content(f"  {row}") for row in (head, *rows) if rows))


def table_of_kept(kept: Sequence[Launch], most: int = 8) -> Content:
    """Launches alone, the last one first: where there is none to compare them with."""
    rows = [
        (
            launch.when[:16].replace("T", " "),
            report.time_words(launch.timing.median) if launch.timing else "not timed",
            launch.device.name if launch.device else "interpreter",
            report.options_words(launch),
        )
        for launch in reversed(kept[-most:])
    ]
    return titled("earlier launches", (Content(f"  {row}") for row in table(rows, right=(1,)).splitlines()))


def failure_of(failure: Failure) -> Content:
    """One line that says what went wrong, one that says what to try, and the log."""
    parts: list[Content | str | tuple[str, str]] = [BAD]
    if failure.file:
        place = ":".join(str(part) for part in (failure.file, failure.line, failure.column) if part is not None)
        parts += [(place, "bold"), ": "]
    parts.append((failure.message.strip(), "$text-error"))
    if failure.hint:
        parts += ["\n", ("try: ", "bold"), failure.hint.removeprefix("try ")]
    if failure.detail and failure.detail.strip() not in failure.message:
        parts += ["\n", (failure.detail.rstrip(), "$text-muted")]
    return Content.assemble(*parts)


def button(words: str, action: str) -> tuple[str, str]:
    """Words to click, which no line break parts."""
    return f" {words} ".replace(" ", "\u00a0"), f"reverse @click=app.{action}"


def command_in(hint: str) -> str:
    """What to paste of a hint: the command between backquotes where it has one, else all of it."""
    _, quoted, rest = hint.partition("`")
    command, closed, _ = rest.partition("`")
    return command if quoted and closed else hint


def notes_of(launch: Launch) -> Content:
    """Warnings, and what the file printed."""
    lines = [Content.assemble(ODD, warning) for warning in launch.warnings]
    alone = launch.device is None and launch.check is not None and launch.check.against == "interpreter"
    if launch.check is not None and not launch.check.comparisons and not alone:
        lines += [
            Content.assemble("  " if launch.check.passed else ODD, line) for line in report.check_lines(launch.check)
        ]
    if launch.log.strip():
        lines += [Content.styled("printed by the file", "bold $primary"), Content(launch.log.rstrip())]
    return Content("\n").join(lines)


def brief_time(microseconds: float) -> str:
    """For the strip: three digits that count, "9.31 µs", "214 µs", "1.23 ms"."""
    value, unit = (microseconds / 1000, "ms") if microseconds >= 999.5 else (microseconds, "µs")
    return f"{value:.{0 if value >= 99.95 else 1 if value >= 9.995 else 2}f} {unit}"


def differences(launch: Launch, kernel: Kernel, viewed: Specialization, arch: str) -> list[str]:
    """Where a launch's specialization is not the one in view, in words; what only one of them says is passed over."""
    found = list(pairs(launch, kernel, viewed))
    if launch.device is not None:
        found.append(("target", launch.device.arch, arch))
    return [f"{name} {theirs} (here {ours})" for name, theirs, ours in found if theirs and ours and theirs != ours]


def pairs(launch: Launch, kernel: Kernel, viewed: Specialization) -> Iterator[tuple[str, str, str]]:
    """Names, and their values in what ran and in what is in view; what one changes most often comes first."""
    launched = launch.specialization
    for name in (parameter.name for parameter in kernel.parameters if parameter.constexpr):
        if name in launched.constexprs and name in viewed.constexprs:
            yield (name, repr(launched.constexprs[name]), repr(viewed.constexprs[name]))
    for name in MAIN_OPTIONS:
        if name in launched.options and name in viewed.options:
            yield (name, str(launched.options[name]), str(viewed.options[name]))
    for name in (parameter.name for parameter in kernel.parameters if not parameter.constexpr):
        yield (name, type_in_view(name, launched), type_in_view(name, viewed))
