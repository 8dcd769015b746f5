"""The figures of a kernel, always in sight: a column on a wide screen, three lines on a narrow one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from irscope.model import Compilation, Occupancy, Resources, Target
from irscope.tui.pipeline_strip import duration
from irscope.tui.stages import describe


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its name, its value as text, and how it looks (a style; empty for plain)."""

    name: str
    value: str
    style: str = ""
    #: For the narrow form; empty leaves it out there.
    short: str = ""


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
    shown = [Section("resources", _resources(compilation.target, resources or Resources()))]
    if compilation.target.arch:
        shown.append(
            Section(f"occupancy {compilation.target.arch}", _occupancy(compilation.target, occupancy or Occupancy()))
        )
    if instructions:
        shown.append(
            Section(
                "operations",
                tuple(
                    Figure(describe(name).title, number(count), "", describe(name).title)
                    for name, count in instructions.items()
                ),
            )
        )
    times = tuple(
        Figure(describe(stage.name).title, duration(stage.seconds))
        for stage in compilation.stages.values()
        if stage.seconds is not None
    )
    if times:
        total = sum(stage.seconds or 0 for stage in compilation.stages.values())
        shown.append(Section("compile time", (*times, Figure("all stages", duration(total), "bold", "compiled in"))))
    return shown


def _resources(target: Target, found: Resources) -> tuple[Figure, ...]:
    spilled = "bold $warning" if (found.spill_store_bytes or found.spill_load_bytes) else ""
    registers = [Figure("registers", number(found.registers), "bold", "regs")]
    if target.backend == "hip":
        registers = [
            Figure("VGPRs", number(found.registers), "bold", "VGPRs"),
            Figure("SGPRs", number(found.sgprs), "", "SGPRs"),
            Figure("AGPRs", number(found.agprs)),
        ]
    return (
        *registers,
        Figure("spill stores", number(found.spill_store_bytes, "B"), spilled, "spilled"),
        Figure("spill loads", number(found.spill_load_bytes, "B"), spilled, "reloaded"),
        Figure("stack", number(found.stack_bytes, "B"), "", "stack"),
        Figure("shared, static", number(found.shared_static_bytes, "B"), "", "static"),
        Figure("shared, dynamic", number(found.shared_dynamic_bytes, "B"), "", "shared"),
        Figure("barriers", number(found.barriers), "", "barriers"),
        Figure("parameters", number(found.parameter_bytes, "B")),
        Figure("code", number(found.code_bytes, "B"), "", "code"),
        Figure("instructions", number(found.instructions), "", "instr"),
    )


def _occupancy(target: Target, found: Occupancy) -> tuple[Figure, ...]:
    unit = "CU" if target.backend == "hip" else "SM"
    warps = number(found.warps_per_sm)
    if found.warps_per_sm is not None and found.max_warps_per_sm:
        warps += f" of {found.max_warps_per_sm}"
        share = f"{100 * found.warps_per_sm / found.max_warps_per_sm:.0f} %"
    else:
        share = "-"
    return (
        Figure(f"blocks per {unit}", number(found.blocks_per_sm), "bold", f"blocks/{unit}"),
        Figure(f"warps per {unit}", warps, "", "warps"),
        Figure("occupied", share),
        Figure("limited by", found.limiter or "-", "", "limit"),
    )


class FigureColumn(VerticalScroll):
    """The figures of a wide screen, beside the panes."""

    can_focus = False

    def __init__(self) -> None:
        super().__init__(Static(id="figures-text"), id="figures")
        self.border_title = "figures"

        self.shown: Sequence[Section] = ()

    def show(self, shown: Sequence[Section]) -> None:
        self.shown = shown
        self.query_one(Static).update(_column(shown, self.WIDTH))

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
        width, gap = self.size.width, "  "
        lines: list[Content] = []
        for section in self.shown:
            for figure in section.figures:
                if not figure.short:
                    continue
                piece = Content.assemble((f"{figure.short} ", "$text-muted"), (figure.value, figure.style or "bold"))
                if lines and lines[-1].cell_length + len(gap) + piece.cell_length <= width:
                    lines[-1] = Content.assemble(lines[-1], gap, piece)
                else:
                    lines.append(piece)
        return Content("\n").join(lines[: self.LINES])


def _with(shown: Sequence[Section], section: Section) -> list[Section]:
    """The first ones fit any screen: what was asked for comes behind them."""
    others = [each for each in shown if each.title != section.title]
    return [*others[:2], section, *others[2:]]


def _column(shown: Sequence[Section], width: int) -> Content:
    lines: list[Content] = []
    for section in shown:
        if lines:
            lines.append(Content(""))
        lines.append(Content.styled(section.title, "bold $primary"))
        for figure in section.figures:
            dots = max(1, width - len(figure.name) - len(figure.value))
            lines.append(Content.assemble((figure.name, "$text-muted"), " " * dots, (figure.value, figure.style)))
        lines += [Content.styled(line, "$warning") for line in wrap(section.note, width)]
    return Content("\n").join(lines)
