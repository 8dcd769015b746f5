"""What must hold for every stage of every real compilation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from irscope import ir
from irscope.correlate import Correlation
from irscope.ir.lines import split_lines

KERNELS = Path(__file__).parent / "kernels"
#: In the order of compilation.
STAGES = ("ttir", "ttgir", "llir", "ptx", "sass", "amdgcn")
TARGETS = ("sm_80", "sm_90", "gfx942")


def line_of(file: str, code: str) -> int:
    lines = (KERNELS / file).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if code in line)


@pytest.fixture
def texts(compiled, request):
    """Texts of one stage; some platforms lack a disassembler."""
    found = [text for text in compiled if text.stage == request.param]
    if not found and request.param == "sass":
        pytest.skip("Triton's wheel has no nvdisasm here")
    assert found
    return found


every_stage = pytest.mark.parametrize("texts", STAGES, indirect=True)


@every_stage
def test_cleaning_never_drops_an_operation(texts):
    for text in texts:
        clean = ir.clean(text.stage, text.index)
        dropped = [row for row, operation in enumerate(text.index.operations) if operation and not clean.keeps(row)]
        assert not dropped, (str(text), text.index.lines[dropped[0]])
        assert text.index.operation_count > 20


@every_stage
def test_clean_rows_lead_to_raw_rows_and_back(texts):
    for text in texts:
        clean = ir.clean(text.stage, text.text)
        for row, line in enumerate(clean.lines):
            raw = clean.raw_row(row)
            assert clean.clean_row(raw) == row
            # Cleaning only takes away: what is left is in the raw row, in order.
            remaining = iter(text.index.lines[raw])
            assert all(character in remaining for character in line), line
        assert clean.clean_row(len(text.index.lines) - 1) == len(clean.lines) - 1


@every_stage
def test_a_cut_text_is_indexed_as_far_as_it_goes(texts):
    for text in texts:
        for part in range(1, 8):
            cut = text.text[: len(text.text) * part // 8]
            index = ir.index(text.stage, cut)
            assert len(index.chains) == len(index.operations) == len(index.lines)
            assert index.lines[:-1] == text.index.lines[: len(index.lines) - 1]
            ir.clean(text.stage, index)


NOISE = {
    "ttir": r"loc\(",
    "ttgir": r"loc\(",
    "llir": r"!dbg|!DI|#dbg_|llvm\.dbg",
    "ptx": r"^\s*\.(loc|file)\b|\.debug_|\$L__tmp|^\.b8",
    "sass": r"//##|^\s*\.(section|align|size|type)\b",
    "amdgcn": r"^\s*\.(loc|file|cfi_\w+)\b|\.debug_|^\.Ltmp",
}


@every_stage
def test_clean_text_is_free_of_noise(texts):
    for text in texts:
        pattern = re.compile(NOISE[text.stage])
        assert any(pattern.search(line) for line in text.index.lines), str(text)
        left = [line for line in ir.clean(text.stage, text.text).lines if pattern.search(line)]
        assert not left, (str(text), left[:3])


@every_stage
def test_every_file_is_a_full_path_of_a_real_file(texts):
    for text in texts:
        files = {frame.file for chain in set(text.index.chains) for frame in chain}
        assert files
        assert [file for file in files if not Path(file).is_file()] == []


@every_stage
def test_lines_lie_within_their_files(texts):
    for text in texts:
        for frame in {frame for chain in set(text.index.chains) for frame in chain}:
            assert 1 <= frame.line <= len(split_lines(Path(frame.file).read_text(encoding="utf-8")))


def test_every_mlir_operation_with_a_known_location_is_mapped(compiled):
    """Told from the text by other means than the index: the alias at the end of a row, followed by hand."""
    for text in compiled:
        if text.stage not in ("ttir", "ttgir"):
            continue
        aliases = dict(re.findall(r"^(#loc\d*) = loc\((.*)\)$", text.text, re.MULTILINE))

        def known(alias: str, aliases: dict[str, str] = aliases) -> bool:
            spec = aliases[alias]
            return bool(re.match(r'"[^"]*":\d', spec)) or any(known(a) for a in re.findall(r"#loc\d*", spec))

        rows = [(row, re.search(r" loc\((#loc\d*)\)$", line)) for row, line in enumerate(text.index.lines)]
        checked = [(row, match[1]) for row, match in rows if match and known(match[1])]
        assert checked
        assert [row for row, _ in checked if not text.index.chains[row]] == [], str(text)


def test_every_llvm_instruction_with_debug_location_is_mapped(compiled):
    for text in compiled:
        if text.stage == "llir":
            zero = set(re.findall(r"^!(\d+) = !DILocation\(line: 0, [^\n]*scope: !\d+\)$", text.text, re.MULTILINE))
            for row, line in enumerate(text.index.lines):
                match = re.match(r"  \S.*!dbg !(\d+)", line)
                if match and match[1] not in zero:
                    assert text.index.chains[row], (str(text), line)


def test_every_instruction_of_sass_is_mapped(compiled):
    for text in compiled:
        if text.stage == "sass":
            assert text.index.mapped_count == text.index.operation_count


@pytest.mark.parametrize("stage", STAGES)
def test_a_helper_in_another_file_is_found_through_its_calls(compiled, stage):
    """`twice` calls `scale`; the chain is all three lines.

    As joined with the stages before: up to Triton 3.7 SASS, in 3.3 PTX too, do not tell the calls themselves.
    """
    expected = (
        ("helpers.py", line_of("helpers.py", "shifted = x")),
        ("helpers.py", line_of("helpers.py", "scale(scale(")),
        ("kernels.py", line_of("kernels.py", "twice(total)")),
    )
    found = {}
    for target in TARGETS:
        indices = {t.stage: t.index for t in compiled if (t.target, t.kernel) == (target, "matmul")}
        if stage in indices:
            in_order = {name: indices[name] for name in STAGES if name in indices}
            locations = Correlation(in_order).locations(stage)
            found[target] = {tuple((Path(frame.file).name, frame.line) for frame in chain) for chain in locations}
    assert found or stage == "sass"
    assert [target for target, chains in found.items() if expected not in chains] == []


@pytest.mark.parametrize("stage", STAGES)
def test_every_function_of_a_module_is_mapped(compiled, stage):
    """`clipped` is not inlined: it is a function of its own, in another file."""
    body = line_of("helpers.py", "return value * 2")
    for text in compiled:
        if text.stage == stage and text.kernel == "search":
            own = {chain for chain in text.index.chains if chain and Path(chain[0].file).name == "helpers.py"}
            assert body in {chain[0].line for chain in own}, str(text)
            assert all(len(chain) == 1 for chain in own)


def test_the_first_row_of_a_block_has_the_location_of_its_last(compiled):
    (text,) = [t for t in compiled if (t.target, t.kernel, t.stage) == ("sm_90", "search", "ttir")]
    lines, chains = text.index.lines, text.index.chains
    loop = line_of("kernels.py", "while left < right")
    branch = line_of("kernels.py", "if value < limit")
    (header,) = [row for row, line in enumerate(lines) if "scf.while" in line]
    assert chains[header][0].line == loop
    (do,) = [row for row, line in enumerate(lines) if line.strip() == "} do {"]
    assert chains[do] == chains[header]
    headers = [row for row, line in enumerate(lines) if "scf.if" in line]
    assert [chains[row][0].line for row in headers] == [branch]
    alternatives = [row for row, line in enumerate(lines) if line.strip() == "} else {"]
    assert [chains[row][0].line for row in alternatives] == [branch]
    functions = {chains[row][0].line for row, line in enumerate(lines) if "tt.func" in line}
    assert functions == {line_of("kernels.py", "def search"), line_of("helpers.py", "def clipped")}


def test_columns_point_at_the_expression(compiled):
    """From 1 since Triton 3.9; before, from 0, and for a call at its arguments."""
    (text,) = [t for t in compiled if (t.target, t.kernel, t.stage) == ("sm_90", "reduction", "ttir")]
    (row,) = [row for row, line in enumerate(text.index.lines) if "math.exp" in line]
    (location,) = text.index.chains[row]
    source = (KERNELS / "kernels.py").read_text(encoding="utf-8").splitlines()[location.line - 1]
    places = (source[location.column - 1 :], source[location.column :])
    assert any(place.startswith(("tl.exp(x - largest)", "x - largest)")) for place in places)
