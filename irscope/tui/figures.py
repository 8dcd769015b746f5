"""The figures of a kernel, always in sight: a column on a wide screen, three lines on a narrow one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import MouseMove
from textual.widget import Widget
from textual.widgets import Static

from irscope.explain.figures import meaning, source
from irscope.tui.pipeline_strip import duration
from irscope.tui.stages import describe

if TYPE_CHECKING:
    from irscope.model import Compilation, Occupancy, Resources


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its name, its value as text, and how it looks (a style; empty for plain)."""

    name: str
    value: str
    style: str = ""
    #: For the narrow form; empty leaves it out there.
    short: str = ""
    #: What it is and where it comes from.
    about: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    figures: tuple[Figure, ...]
    #: A remark on all of them, below.
    note: str = ""


def number(value: int | None, unit: str = "") -> str:
    """A count with thin groups of three digits; a dash where it is unknown."""
    if value is None:
        return "-"
    return f"{value:,}".replace(",", " ") + (f" {unit}" if unit else "")


def about(figure: str, compilation: Compilation, origin: str | None = None) -> str:
    """What a figure is and where it comes from, in two lines; by its name in the JSON documents."""
    told = source(figure, compilation, origin)
    return f"{meaning(figure)}\nfrom {told}" if told else meaning(figure)


def sections(
    compilation: Compilation,
    resources: Resources | None,
    occupancy: Occupancy | None,
    instructions: Mapping[str, int],
) -> list[Section]:
    """What the figures of a compilation are, in the order in which they are shown.

    Args:
        instructions: operations or instructions, by stage.
    """
    from irscope.model import Occupancy, Resources

    shown = [Section("resources", _resources(compilation, resources or Resources()))]
    if compilation.target.arch:
        shown.append(Section(f"occupancy {compilation.target.arch}", _occupancy(compilation, occupancy or Occupancy())))
    counted, timed = about("operations", compilation), about("seconds", compilation)
    if instructions:
        shown.append(
            Section(
                "operations",
                tuple(
                    Figure(describe(name).title, number(count), "", describe(name).title, counted)
                    for name, count in instructions.items()
                ),
            )
        )
    times = tuple(
        Figure(describe(stage.name).title, duration(stage.seconds), about=timed)
        for stage in compilation.stages.values()
        if stage.seconds is not None
    )
    if times:
        total = sum(stage.seconds or 0 for stage in compilation.stages.values())
        shown.append(
            Section("compile time", (*times, Figure("all stages", duration(total), "bold", "compiled in", timed)))
        )
    return shown


def _resources(compilation: Compilation, found: Resources) -> tuple[Figure, ...]:
    spilled = "bold $warning" if (found.spill_store_bytes or found.spill_load_bytes) else ""

    def figure(key: str, name: str, unit: str = "", style: str = "", short: str = "") -> Figure:
        return Figure(name, number(getattr(found, key), unit), style, short, about(key, compilation))

    registers = [figure("registers", "registers", "", "bold", "regs")]
    if compilation.target.backend == "hip":
        registers = [
            figure("registers", "VGPRs", "", "bold", "VGPRs"),
            figure("sgprs", "SGPRs", short="SGPRs"),
            *([figure("agprs", "AGPRs")] if found.agprs is not None else []),
        ]
    return (
        *registers,
        figure("spill_store_bytes", "spill stores", "B", spilled, "spilled"),
        figure("spill_load_bytes", "spill loads", "B", spilled, "reloaded"),
        figure("stack_bytes", "stack", "B", short="stack"),
        figure("shared_static_bytes", "shared, static", "B", short="static"),
        figure("shared_dynamic_bytes", "shared, dynamic", "B", short="shared"),
        figure("barriers", "barriers", short="barriers"),
        figure("parameter_bytes", "parameters", "B"),
        figure("code_bytes", "code", "B", short="code"),
        figure("instructions", "instructions", short="instr"),
    )


def _occupancy(compilation: Compilation, found: Occupancy) -> tuple[Figure, ...]:
    arch = compilation.target.arch
    # From gfx10 on a workgroup has two compute units to itself.
    unit = "SM" if compilation.target.backend != "hip" else "CU" if arch.startswith("gfx9") else "WGP"
    warps = number(found.warps_per_sm)
    if found.warps_per_sm is not None and found.max_warps_per_sm:
        warps += f" of {found.max_warps_per_sm}"
        share = f"{100 * found.warps_per_sm / found.max_warps_per_sm:.0f} %"
    else:
        share = "-"
    blocks, resident, most, limiter = (
        about(key, compilation) for key in ("blocks_per_sm", "warps_per_sm", "max_warps_per_sm", "limiter")
    )
    return (
        Figure(f"blocks per {unit}", number(found.blocks_per_sm), "bold", f"blocks/{unit}", blocks),
        Figure(f"warps per {unit}", warps, "", "warps", f"{resident}\n{most}"),
        Figure("occupied", share, about=f"{resident}\n{most}"),
        Figure("limited by", found.limiter or "-", "", "limit", limiter),
    )


class _FigureText(Static):
    """The text of the column; says of the figure under the pointer where it comes from."""

    def __init__(self) -> None:
        super().__init__(id="figures-text")
        #: By line.
        self.figures: Sequence[Figure | None] = ()

    def on_mouse_move(self, event: MouseMove) -> None:
        figure = self.figures[event.y] if 0 <= event.y < len(self.figures) else None
        self.tooltip = figure.about or None if figure is not None else None


class FigureColumn(VerticalScroll):
    """The figures of a wide screen, beside the panes."""

    can_focus = False

    def __init__(self) -> None:
        self._text = _FigureText()
        super().__init__(self._text, id="figures")
        self.border_title = "figures"

        self.shown: Sequence[Section] = ()

    def show(self, shown: Sequence[Section]) -> None:
        self.shown = shown
        lines = list(_column(shown, self.WIDTH))
        self._text.figures = [figure for _, figure in lines]
        self._text.update(Content("\n").join(line for line, _ in lines))

    def add(self, section: Section) -> None:
        """Show one more, in place of an earlier one of its title."""
        self.show(_with(self.shown, section))

    #: Cells for text; the styles add the border.
    WIDTH = 28


class FigureLines(Widget):
    """The figures of a narrow screen, in three lines; the strip above has the time of each stage."""

    LINES = 3

    def __init__(self) -> None:
        super().__init__(id="figure-lines")
        self.shown: Sequence[Section] = ()

    def show(self, shown: Sequence[Section]) -> None:
        self.shown = shown
        self.refresh()

    def add(self, section: Section) -> None:
        """Show one more, in place of an earlier one of its title."""
        self.show(_with(self.shown, section))

    def render(self) -> Content:
        return Content("\n").join([Content("  ").join([_piece(figure) for figure in line]) for line in self._lines()])

    def _lines(self) -> list[list[Figure]]:
        """As many figures in each line as there is room for."""
        width, used = self.size.width, 0
        lines: list[list[Figure]] = []
        for figure in (figure for section in self.shown for figure in section.figures if figure.short):
            cells = _piece(figure).cell_length
            if lines and used + _GAP + cells <= width:
                lines[-1].append(figure)
                used += _GAP + cells
            else:
                lines.append([figure])
                used = cells
        return lines[: self.LINES]

    def on_mouse_move(self, event: MouseMove) -> None:
        lines = self._lines()
        left = 0
        for figure in lines[event.y] if 0 <= event.y < len(lines) else ():
            right = left + _piece(figure).cell_length
            if left <= event.x < right:
                self.tooltip = figure.about or None
                return
            left = right + _GAP
        self.tooltip = None


#: Cells between two figures of a line.
_GAP = 2


def _piece(figure: Figure) -> Content:
    return Content.assemble((f"{figure.short} ", "$text-muted"), (figure.value, figure.style or "bold"))


def _with(shown: Sequence[Section], section: Section) -> list[Section]:
    """The first ones fit any screen: what was asked for comes behind them."""
    others = [each for each in shown if each.title != section.title]
    return [*others[:2], section, *others[2:]]


def _column(shown: Sequence[Section], width: int) -> Iterator[tuple[Content, Figure | None]]:
    """The lines, with the figure that each has."""
    for section in shown:
        if section is not shown[0]:
            yield Content(""), None
        yield Content.styled(section.title, "bold $primary"), None
        for figure in section.figures:
            dots = max(1, width - len(figure.name) - len(figure.value))
            yield Content.assemble((figure.name, "$text-muted"), " " * dots, (figure.value, figure.style)), figure
        for line in wrap(section.note, width):
            yield Content.styled(line, "$warning"), None
