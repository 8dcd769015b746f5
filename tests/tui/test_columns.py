"""Columns beside the lines: their values, how they are painted, and the rows that they lead to. Without an app."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.color import Color

from irscope.analysis import sass
from irscope.analysis.sass import all_kinds
from irscope.explain.figures import kind_columns
from irscope.ir.lines import split_lines
from irscope.model import Compilation
from irscope.tui.code_facts import CodeFacts
from irscope.tui.columns import BAR, Column, Margin, Table, amount, bar, level, next_place, places
from irscope.tui.document import Document
from irscope.tui.highlight import PALETTES, Highlighter, Layer, palette_for
from irscope.tui.ruler import Sign
from irscope.tui.strips import Frame, Gutter, Look, Painter
from irscope.tui.themes import THEMES

SAMPLES = Path(__file__).parents[2] / "sample_kernels"
MATMUL = f"{SAMPLES / 'matmul.py'}::matmul_kernel"


def column(values: dict[int, float], **more: object) -> Column:
    return Column("figure", "a figure", {row: f"{value:g}" for row, value in values.items()}, values, **more)  # type: ignore[arg-type]


def test_a_bar_is_as_long_as_its_share() -> None:
    lengths = [len(bar(share / 24, 3).rstrip()) for share in range(25)]
    assert lengths == sorted(lengths)
    assert (bar(0, 3), bar(0.0001, 3), bar(1, 3)) == ("   ", "▏  ", "███")
    assert all(cell_len(bar(share / 100, width)) == width for share in range(101) for width in (1, 3, 8))


def test_amounts_take_four_cells() -> None:
    for power in range(50):
        for value in (2**power - 1, 2**power, 3 * 2**power // 2):
            assert len(amount(value)) <= 4, value
    assert [amount(value) for value in (0, 512, 9999, 16384, 3 * 1024 * 1024)] == ["0", "512", "9999", "16K", "3M"]


def test_levels_are_of_equal_width() -> None:
    assert [level(share, 4) for share in (0, 0.2, 0.26, 0.5, 0.6, 0.76, 1)] == [0, 0, 1, 1, 2, 3, 3]


def test_rows_by_what_they_are_worth() -> None:
    assert places(column({3: 5, 1: 7, 9: 5, 4: 0})) == [1, 3, 9]
    # Of a curve the tops alone, a plateau once, and rows without a value do not break it.
    assert places(column({0: 1, 1: 4, 3: 4, 4: 2, 6: 9, 7: 1, 8: 3}, curve=True)) == [6, 1, 8]


def test_the_next_place_goes_round() -> None:
    ranking = [6, 1, 8]
    assert [next_place(ranking, row, 1) for row in (None, 6, 1, 8, 5)] == [0, 1, 2, 0, 0]
    assert [next_place(ranking, row, -1) for row in (None, 6, 8)] == [2, 2, 1]
    assert next_place([], 3, 1) is None


def test_a_narrow_margin_keeps_the_chosen_column() -> None:
    table = Table((column({1: 10}), Column("words", "words", {1: "abc"}, {}, left=True), column({1: 123456, 2: 1})))
    chosen = table.columns[2]
    wide, narrow = Margin(table, chosen, 80), Margin(table, chosen, 1)
    assert wide.complete
    assert wide.cells(1) == "     10 abc   123456"
    assert len(wide.cells(1)) == len(wide.cells(7)) == wide.width - BAR
    assert narrow.columns == [chosen]
    assert not narrow.complete
    assert (narrow.heat(1), narrow.heat(7)) == (1, 0)


@pytest.mark.parametrize("name", PALETTES)
def test_heat_is_told_by_lightness(name: str) -> None:
    """From little to much the colours leave the background's lightness, one after the other."""
    theme = next(theme for theme in THEMES if palette_for(theme) is PALETTES[name])
    background = Color.parse(theme.surface or "")
    away = [abs(Color.parse(colour).brightness - background.brightness) for colour in PALETTES[name].heat]
    assert away == sorted(away)
    assert min(later - earlier for earlier, later in pairwise(away)) > 0.06


def test_the_bar_stands_before_the_figures() -> None:
    highlighter = Highlighter(PALETTES["dark"], Color.parse("#000000"))
    gutter = Gutter(2, annotate=lambda row: " 17", annotation_width=3, heat=lambda row: 1 - row)
    painter = Painter(Document(["a", "b"]), highlighter, gutter)
    for row, text in enumerate(("███ 17  1  a   ", "    17  2  b   ")):
        look = Look(row, 0, Layer.TEXT, False, Sign.NOTHING)
        for strip in (painter.strip(look, Frame(0, 3)), painter.stamped(look, Frame(0, 3))):
            assert strip.text == text
            assert strip.cell_length == cell_len(text)


# -- Of real kernels


@pytest.fixture
def matmul_facts(matmul: Compilation) -> CodeFacts:
    return CodeFacts(matmul)


def by_name(table: Table) -> dict[str, Column]:
    return {each.name: each for each in table.columns}


def test_a_line_has_what_it_became(matmul: Compilation, matmul_facts: CodeFacts) -> None:
    lines = Path(matmul.kernel.file).read_text(encoding="utf-8").splitlines()
    columns = by_name(matmul_facts.table("source"))
    load = next(row for row, line in enumerate(lines) if "a = tl.load(" in line)
    blank = next(row for row, line in enumerate(lines) if not line.strip())
    assert columns["instr"].values[load] > 10
    assert columns["glob"].values[load] > 0
    assert blank not in columns["instr"].cells
    # The same as of its operations, which have that line alone.
    ttgir = by_name(matmul_facts.table("ttgir"))
    text = matmul.text("ttgir").splitlines()
    dots = [row for row in ttgir["instr"].values if "ttng.warp_group_dot " in text[row]]
    assert dots
    assert max(ttgir["regs"].values.values()) == matmul_facts.live.peak  # type: ignore[union-attr]


def test_the_code_has_registers_control_codes_and_loops(matmul: Compilation, matmul_facts: CodeFacts) -> None:
    columns = by_name(matmul_facts.table("sass"))
    text = matmul.text("sass").splitlines()
    rows = [row for row, line in enumerate(text) if line.lstrip().startswith("/*") and ";" in line]
    assert len(columns["R"].values) == len([row for row in columns["R"].values if row in rows])
    assert max(columns["R"].values.values()) <= 255
    assert set(matmul_facts.peak_rows) <= {row for row, n in columns["R"].values.items() if n == matmul_facts.live.peak}  # type: ignore[union-attr]
    # A special register is read with a barrier, which something waits for later.
    special = [row for row in rows if " S2R " in text[row]]
    assert special
    assert all("W" in columns["set"].cells[row] for row in special)
    raised = {mark for cell in columns["set"].cells.values() for mark in cell if mark.isdigit()}
    assert {mark for cell in columns["wait"].cells.values() for mark in cell} <= raised
    assert all(1 <= stall <= 15 for stall in columns["st"].values.values())


def test_brackets_close_and_go_over_labels(matmul: Compilation, matmul_facts: CodeFacts) -> None:
    cells = by_name(matmul_facts.table("sass"))["loop"].cells
    text = matmul.text("sass").splitlines()
    (first,) = [row for row, cell in cells.items() if "╭" in cell]
    (last,) = [row for row, cell in cells.items() if "╰" in cell]
    assert "BRA" in text[last]
    assert all(row in cells for row in range(first, last + 1))
    assert any("HGMMA" in text[row] for row in range(first, last))
    # The jump at its end goes to its beginning.
    assert matmul_facts.targets(last) == (first,)
    assert matmul_facts.targets(first) == ()


def test_where_nvdisasm_refuses_the_figures_say_so(compiled_sample: Callable[[str, str], Compilation]) -> None:
    facts = CodeFacts(compiled_sample(MATMUL, "sm_80"))
    section = facts.section()
    assert section is not None
    assert facts.live is not None
    if facts.live.origin == "nvdisasm":
        assert not section.note
    else:
        assert "nvdisasm" in section.note
        assert "\n" not in section.note
    assert CodeFacts(compiled_sample(MATMUL, "sm_90")).section() is not None


def test_what_is_live_has_the_lines_that_made_it(matmul: Compilation, matmul_facts: CodeFacts) -> None:
    lines = Path(matmul.kernel.file).read_text(encoding="utf-8").splitlines()
    at, table = matmul_facts.held(None)
    assert at == matmul_facts.peak_rows[0]
    (live,) = table.columns
    # In the loop the accumulator is live, of which each of 256 threads has its share.
    dot = next(row for row, line in enumerate(lines) if "tl.dot(" in line)
    assert live.values[dot] == 128 * 128 // (32 * matmul.metadata["num_warps"])
    assert matmul_facts.live is not None
    assert max(live.values.values()) <= matmul_facts.live.peak
    first = min(matmul_facts._numbers)
    assert matmul_facts.held(first)[0] == first


def test_amd_has_registers_bytes_and_loops(compiled_sample: Callable[[str, str], Compilation]) -> None:
    facts = CodeFacts(compiled_sample(MATMUL, "gfx942"))
    section = facts.section()
    assert section is not None and facts.live is not None
    first = section.figures[0]
    assert (first.name, first.value) == ("peak, VGPRs", str(facts.live.peak))
    columns = by_name(facts.table("amdgcn"))
    assert {"V", "S", "glob", "shm", "loop"} <= columns.keys()
    assert max(columns["V"].values.values()) == facts.live.peak
    assert set(facts.peak_rows) <= {row for row, count in columns["V"].values.items() if count == facts.live.peak}
    assert "R" not in columns
    assert "wave" in columns["glob"].meaning
    assert by_name(facts.table("source"))["instr"].values
    jump = next(row for row, cell in columns["loop"].cells.items() if "╰" in cell)
    assert facts.targets(jump)


def test_a_failed_compilation_has_no_columns(compiled_sample: Callable[[str, str], Compilation]) -> None:
    facts = CodeFacts(compiled_sample(str(Path(__file__).parents[1] / "kernels" / "compile_error.py") + "::", "sm_90"))
    assert facts.table("source").columns == ()
    assert facts.table("source").note
    assert facts.peak_rows == []
    assert facts.targets(0) == ()
    assert facts.section() is None


@pytest.mark.parametrize("target", ["sm_80", "sm_90", "gfx942"])
def test_kinds_of_instructions_add_up_to_the_lines_own(
    compiled_sample: Callable[[str, str], Compilation], target: str
) -> None:
    found = compiled_sample(MATMUL, target)
    columns = {column.name: column for column in CodeFacts(found).table("source").columns}
    kinds = [columns[name].values for name in kind_columns().values() if name in columns]
    assert len(kinds) > 6
    for row, count in columns["instr"].values.items():
        # Padding and what nobody knows have no column.
        assert 0 < sum(values.get(row, 0) for values in kinds) <= count
    dot = next(
        row for row, line in enumerate(split_lines(found.sources[0].text)) if "tl.dot(" in line and "acc" in line
    )
    assert columns["tens"].values[dot] == max(columns["tens"].values.values()) > 0
    assert 0 < columns["looped"].values[dot] <= columns["instr"].values[dot]


def test_kinds_with_a_column_are_those_that_there_are() -> None:
    assert set(kind_columns()) == set(all_kinds()) - {"padding", "other"}
    assert len(set(kind_columns().values())) == len(kind_columns())


def test_spill_code_is_a_column_where_there_is_some(compiled_sample: Callable[[str, str], Compilation]) -> None:
    spilling = compiled_sample(f"{Path(__file__).parents[1] / 'kernels' / 'spills.py'}::", "sm_90")
    columns = {column.name: column for column in CodeFacts(spilling).table("source").columns}
    assert max(columns["spill"].values.values()) > 0
    without = CodeFacts(compiled_sample(MATMUL, "sm_90")).table("source").columns
    assert "spill" not in [column.name for column in without]


def test_control_codes_are_columns_of_the_sass(compiled_sample: Callable[[str, str], Compilation]) -> None:
    found = compiled_sample(MATMUL, "sm_80")
    columns = {column.name: column for column in CodeFacts(found).table("sass").columns}
    read = sass.read(found)
    assert read is not None and read.controls is not None
    for instruction, control in zip(read.function.instructions, read.controls, strict=True):
        assert columns["Y"].cells.get(instruction.row, "") == ("Y" if control.yields else "")
        assert columns["reuse"].cells.get(instruction.row, "") == "".join(map(str, control.reuse))
    assert columns["reuse"].cells
