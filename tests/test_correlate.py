"""Which rows light up together, on small texts with known answers and on real compilations."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from irscope import ir
from irscope.correlate import SOURCE, Correlation
from irscope.ir.lines import Location

KERNEL, HELPER = "/k/kernel.py", "/k/helper.py"

TTIR = """\
#loc1 = loc("/k/kernel.py":5:1)
#loc2 = loc("/k/kernel.py":5:9)
#loc3 = loc("/k/helper.py":2:3)
#unknown = loc(unknown)
%0 = x.plain loc(#loc1)
%1 = x.other_column loc(#loc2)
%2 = x.inlined loc(callsite(#loc3 at #loc1))
%3 = x.inlined_elsewhere loc(callsite(#loc3 at "/k/kernel.py":8:1))
%4 = x.constant loc(#unknown)
%5 = x.alone loc("/k/helper.py":9:1)
"""
# As `nvdisasm -g` writes it: no columns, no call sites.
SASS = """\
	//## File "/k/kernel.py", line 5
        /*0000*/                   FADD R0, R0, R1 ;
	//## File "/k/helper.py", line 2
        /*0010*/                   FMUL R0, R0, R1 ;
"""
SOURCES = {KERNEL: "\n" * 10, HELPER: "\n" * 10}


@pytest.fixture
def correlation():
    stages = {"ttir": ir.index("ttir", TTIR), "sass": ir.index("sass", SASS)}
    return Correlation(stages, SOURCES, KERNEL)


def listed(answer):
    return {view: (list(rows.rows), list(rows.exact)) for view, rows in answer.items()}


def test_call_sites_that_a_stage_lost_follow_from_the_stage_before():
    once = TTIR.replace('"/k/kernel.py":8:1', "#loc1")
    correlation = Correlation({"ttir": ir.index("ttir", once), "sass": ir.index("sass", SASS)}, SOURCES, KERNEL)
    assert correlation.chain("sass", 3) == (Location(HELPER, 2), Location(KERNEL, 5))
    assert listed(correlation.related(SOURCE, 4))["sass"] == ([1, 3], [])
    assert correlation.locations("sass")[3] == correlation.chain("sass", 3)


def test_call_sites_follow_from_a_place_without_a_column():
    inlined = ir.index("ttir", '%0 = x.y loc(callsite("/k/helper.py":2:0 at "/k/kernel.py":5:9))\n')
    correlation = Correlation({"ttir": inlined, "sass": ir.index("sass", SASS)}, SOURCES, KERNEL)
    assert correlation.chain("sass", 3) == (Location(HELPER, 2), Location(KERNEL, 5))


def test_call_sites_are_not_guessed(correlation):
    """The helper's line was reached from two lines: SASS alone cannot tell which."""
    assert correlation.chain("sass", 3) == (Location(HELPER, 2),)


def test_from_a_source_line_all_depths_light_up(correlation):
    assert listed(correlation.related(SOURCE, 4)) == {
        "ttir": ([4, 5, 6], []),
        "sass": ([1], []),
        SOURCE: ([4], [4]),
        HELPER: ([1], []),
    }
    assert listed(correlation.related(SOURCE, 4, 9))["ttir"] == ([4, 5, 6], [5])
    assert correlation.related(SOURCE, 4) == correlation.related(KERNEL, 4)


def test_from_a_helpers_line_its_callers_light_up(correlation):
    assert listed(correlation.related(HELPER, 1)) == {
        "ttir": ([6, 7], []),
        "sass": ([3], []),
        HELPER: ([1], [1]),
        SOURCE: ([4, 7], []),
    }


def test_from_a_row_the_same_frames_light_up(correlation):
    assert listed(correlation.related("ttir", 4)) == {
        "ttir": ([4, 5], [4]),
        "sass": ([1], []),
        SOURCE: ([4], [4]),
    }


def test_a_stage_without_these_frames_answers_by_the_innermost(correlation):
    assert listed(correlation.related("ttir", 6)) == {
        "ttir": ([6], [6]),
        "sass": ([3], []),
        HELPER: ([1], [1]),
        SOURCE: ([4], []),
    }
    assert listed(correlation.related("sass", 3))["ttir"] == ([6, 7], [])


def test_other_callers_are_never_exact():
    """The stage has the helper's code by another call alone, whose columns are the same."""
    other = '%0 = x.y loc(callsite("/k/helper.py":2:3 at "/k/kernel.py":8:1))\n'
    correlation = Correlation({"ttir": ir.index("ttir", TTIR), "ttgir": ir.index("ttgir", other)}, SOURCES, KERNEL)
    assert listed(correlation.related("ttir", 6))["ttgir"] == ([0], [])
    assert listed(correlation.related("ttir", 7))["ttgir"] == ([0], [0])


def test_what_has_no_location_relates_to_nothing(correlation):
    assert correlation.related("ttir", 8) == {}
    assert correlation.related("ttir", 0) == {}
    assert correlation.related("ttir", 999) == {}
    assert correlation.related("ttir", -1) == {}
    assert correlation.related(SOURCE, 0) == {}
    assert correlation.related("no such view", 0) == {}
    assert correlation.location("ttir", 8) is None


def test_look_ups(correlation):
    assert correlation.location("ttir", 6) == Location(HELPER, 2, 3)
    assert correlation.location(SOURCE, 4) == Location(KERNEL, 5)
    assert correlation.chain("ttir", 6) == (Location(HELPER, 2, 3), Location(KERNEL, 5, 1))
    assert correlation.files() == [KERNEL, HELPER]
    locations = correlation.locations("ttir")
    assert len(locations) == len(TTIR.splitlines())
    assert locations[7] == (Location(HELPER, 2, 3), Location(KERNEL, 8, 1))
    with pytest.raises(KeyError):
        correlation.locations("ptx")


def test_a_kernel_file_may_be_unknown():
    correlation = Correlation({"ttir": ir.index("ttir", TTIR)})
    assert set(correlation.related("ttir", 4)) == {"ttir", KERNEL}
    assert correlation.related(SOURCE, 4) == {}


def mlir_at(*files):
    return ir.index("ttir", "".join(f'%0 = x.y loc("{file}":1:1)\n' for file in files))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("/k/a.py", "/k/./sub/../a.py", True),
        ("/k/a.py", "/k//a.py", True),
        ("/k/a.py", "a.py", True),
        ("/k/sub/a.py", "sub/a.py", True),
        ("/k/sub/a.py", "other/a.py", False),
        ("/k/a.py", "/k/A.py", False),
        ("/k/a.py", "/j/a.py", False),
        ("/k/ba.py", "a.py", False),
        (r"C:\\k\\a.py", "c:/k/A.py", True),
        (r"C:\\k\\a.py", r"C:\\\\k\\\\a.py", True),
        (r"C:\\k\\a.py", "A.py", True),
        (r"C:\\k\\a.py", r"D:\\k\\a.py", False),
    ],
)
@pytest.mark.parametrize("swap", [False, True])
def test_spellings_of_a_file(one, other, same, swap):
    first, second = (other, one) if swap else (one, other)
    correlation = Correlation({"ttir": mlir_at(first), "ttgir": mlir_at(second)})
    assert ("ttgir" in correlation.related("ttir", 0)) == same
    assert len(correlation.files()) == (1 if same else 2)
    if same and other.lower() == "a.py":
        assert correlation.files()[0].lower().endswith(("k/a.py", "k\\a.py"))


def test_a_base_name_of_two_files_is_neither():
    correlation = Correlation({"ttir": mlir_at("/k/a.py", "/j/a.py"), "ptx": mlir_at("a.py")})
    assert set(correlation.related("ptx", 0)) == {"ptx", "a.py"}
    assert correlation.files() == ["/k/a.py", "/j/a.py", "a.py"]


# A real compilation.

KERNELS = Path(__file__).parent / "ir" / "kernels"
STAGES = ("ttir", "ttgir", "llir", "ptx", "sass")


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """Correlation of the matmul for sm_90 with its source."""
    output = tmp_path_factory.mktemp("correlate")
    subprocess.run([sys.executable, str(KERNELS / "compile_all.py"), str(output), "sm_90"], check=True)
    stages = {}
    for stage in STAGES:
        path = output / "sm_90" / f"matmul.{stage}"
        if path.exists():
            stages[stage] = ir.index(stage, path.read_text(encoding="utf-8"))
    sources = {str(path): path.read_text(encoding="utf-8") for path in KERNELS.glob("*.py")}
    return Correlation(stages, sources, str(KERNELS / "kernels.py")), stages


def line_with(file, code):
    lines = (KERNELS / file).read_text(encoding="utf-8").splitlines()
    return next(row for row, line in enumerate(lines) if code in line)


def test_the_dot_is_found_in_every_stage(real):
    correlation, stages = real
    answer = correlation.related(SOURCE, line_with("kernels.py", "tl.dot"))
    signs = {"ttir": "tt.dot", "ttgir": "warp_group_dot", "llir": "wgmma", "ptx": "wgmma", "sass": "GMMA"}
    for stage, index in stages.items():
        assert any(signs[stage] in index.lines[row] for row in answer[stage].rows), stage


def test_relations_hold_in_both_directions(real):
    """If a row lights another up by its whole chain, then that one does the same."""
    correlation, stages = real
    for stage, index in stages.items():
        for row in range(0, len(index.lines), 7):
            for other, rows in correlation.related(stage, row).items():
                for found in rows.exact if other in stages else ():
                    assert row in correlation.related(other, found)[stage].exact


def test_every_mapped_row_is_reached_from_its_source_line(real):
    correlation, stages = real
    for stage, index in stages.items():
        for row in range(0, len(index.lines), 5):
            for frame in index.chains[row]:
                assert row in correlation.related(frame.file, frame.line - 1)[stage].rows


def test_rows_are_ascending_and_exact_ones_are_among_them(real):
    correlation, _ = real
    kernel = (KERNELS / "kernels.py").read_text(encoding="utf-8").splitlines()
    answers = [correlation.related(SOURCE, row, column) for row in range(len(kernel)) for column in (0, 5, 9)]
    assert any(answers)
    for answer in answers:
        for rows in answer.values():
            assert list(rows.rows) == sorted(set(rows.rows))
            assert set(rows.exact) <= set(rows.rows)
