"""Bank conflicts as irscope counts them from the PTX, against Nsight Compute's counters on the GPU that is here.

Every case of ``conflict_kernels.py`` is launched once under ``ncu``. What is compared for each instruction that uses
shared memory are its source metrics ``memory_l1_wavefronts_shared`` and ``memory_l1_wavefronts_shared_ideal``: they
count this instruction alone. The hardware's own counters (``l1tex__data_pipe_lsu_wavefronts_mem_shared_op_ld`` and
``_st``) are of a whole kernel and may have turns that other traffic causes, so they are held against the sum from
below; where only one warp of a block uses shared memory they must be the same.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

pytest.importorskip("triton")

import conflict_kernels
from conflict_kernels import CASES, Case

from irscope import devices, exact, interpreter, session
from irscope.analysis import banks, sass
from irscope.analysis.banks import Access
from irscope.model import Compilation
from irscope.request import Request

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not devices.devices(), reason="there is no CUDA device here"),
    pytest.mark.timeout(900),
]

FILE = Path(conflict_kernels.__file__)
WAVEFRONTS, IDEAL, EXECUTED = (
    ("L1 Wavefronts Shared", "memory_l1_wavefronts_shared"),
    ("L1 Wavefronts Shared Ideal", "memory_l1_wavefronts_shared_ideal"),
    ("Instructions Executed", "inst_executed"),
)
READS = "l1tex__data_pipe_lsu_wavefronts_mem_shared_op_ld.sum"
WRITES = "l1tex__data_pipe_lsu_wavefronts_mem_shared_op_st.sum"
CONFLICTS = (
    "l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_ld.sum",
    "l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_st.sum",
)
REQUESTS = ("smsp__inst_executed_op_shared_ld.sum", "smsp__inst_executed_op_shared_st.sum")
#: Where the profiler cannot read the counters, through no fault of ours.
REFUSALS = ("ERR_NVGPUCTRPERM", "LibraryNotLoaded", "Failed to initialize the profiler")
SHARED = ("LDS", "STS", "LDSM", "STSM", "ATOMS", "LDGSTS")


@dataclass(frozen=True)
class Measured:
    """One instruction of the code that ran."""

    opcode: str
    #: How many warps executed it.
    executed: int
    wavefronts: int
    ideal: int


@dataclass(frozen=True)
class Compared:
    """One instruction: what irscope says of the PTX that it comes from, and what ncu counted."""

    sass: str
    ptx: str
    write: bool
    #: Of all its executions; ``None`` where irscope does not say.
    wavefronts: int | None
    ideal: int | None
    measured: Measured


def profiler() -> str:
    places = [shutil.which("ncu"), "/usr/local/cuda/bin/ncu", *sorted(map(str, Path("/opt/nvidia").glob("*/*/ncu")))]
    found = next((place for place in places if place and Path(place).exists()), None)
    if found is None:
        pytest.skip("there is no ncu (Nsight Compute) here")
    return found


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every case launched once, in order, under ncu."""
    path = tmp_path_factory.mktemp("ncu") / "conflicts.ncu-rep"
    names = "|".join(sorted({case.kernel for case in CASES}))
    metrics = ",".join((READS, WRITES, *CONFLICTS, *REQUESTS))
    command = [
        profiler(), "--clock-control", "none", "--kernel-name-base", "function", "-k", f"regex:^({names})$",
        "--section", "SourceCounters", "--metrics", metrics, "--force-overwrite", "--export", path,
        interpreter.identify(None).python, FILE,
    ]  # fmt: skip
    done = subprocess.run([str(word) for word in command], capture_output=True, encoding="utf-8", timeout=600)
    said = done.stdout + done.stderr
    for refusal in REFUSALS:
        if refusal in said:
            pytest.skip(f"ncu cannot read this GPU's counters: {refusal}")
    assert done.returncode == 0 and path.exists(), said
    return path


def page(report: Path, *words: str) -> list[list[str]]:
    command = [profiler(), "--import", str(report), "--csv", "--page", *words]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return [row for row in csv.reader(line for line in done.stdout.splitlines() if not line.startswith("==")) if row]


def number(text: str) -> int:
    digits = text.replace(",", "")
    return round(float(digits)) if digits not in ("", "-", "n/a") else 0


@pytest.fixture(scope="module")
def instructions(report: Path) -> dict[str, list[Measured]]:
    """By case, every instruction of its code in order: the source page lists the launches in theirs."""
    launches: list[list[Measured]] = []
    header: list[str] = []
    for row in page(report, "source", "--print-source", "sass"):
        if "Source" in row:
            header = row
            launches.append([])
        elif header and len(row) == len(header):
            opcode = next((w for w in row[header.index("Source")].split() if not w.startswith(("@", "{"))), "")
            values = [row[column(header, names)] for names in (EXECUTED, WAVEFRONTS, IDEAL)]
            launches[-1].append(Measured(opcode.rstrip(";"), *map(number, values)))
    assert len(launches) == len(CASES), f"{len(launches)} launches for {len(CASES)} cases"
    return {case.name: launch for case, launch in zip(CASES, launches, strict=True)}


def column(header: Sequence[str], names: Sequence[str]) -> int:
    found = next((header.index(name) for name in names if name in header), None)
    assert found is not None, f"ncu's source page has no {names[0]}: {header}"
    return found


@pytest.fixture(scope="module")
def totals(report: Path) -> dict[str, dict[str, int]]:
    """By case, the hardware's counters of the whole kernel; those that this GPU does not have are missing."""
    header, _, *rows = page(report, "raw")
    assert len(rows) == len(CASES)
    wanted = [name for name in (READS, WRITES, *CONFLICTS, *REQUESTS) if name in header]
    return {
        case.name: {name: number(row[header.index(name)]) for name in wanted if row[header.index(name)]}
        for case, row in zip(CASES, rows, strict=True)
    }


@cache
def compiled(case: Case) -> Compilation:
    """By irscope, for this GPU, with the same Triton and the same specialization as the launch has."""
    request = Request(
        FILE,
        case.kernel,
        devices.devices()[0].target,
        arguments={name: f"*{type_}:16" for name, type_ in case.types.items()},
        constants={name: str(value) for name, value in case.constants.items()},
        options={"num_warps": str(case.warps)},
    )
    compilation = session.open(request)
    assert compilation.failure is None, compilation.failure
    return exact.exact_edges(compilation, request)


def compared(case: Case, measured: Sequence[Measured]) -> Iterator[Compared]:
    """Every instruction that uses shared memory; ``!PT`` ones never do, they fill space."""
    compilation = compiled(case)
    code = sass.read(compilation)
    assert code is not None
    ours = [instruction.name for instruction in code.function.instructions]
    theirs = [each.opcode.partition(".")[0] for each in measured]
    # ncu leaves out the padding behind the code, or some of it.
    assert theirs[: len(ours)] == ours[: len(theirs)], "what ran is not what irscope compiled"
    assert set(ours[len(theirs) :]) <= {"NOP", "BRA"}
    assert compilation.edges is not None
    edge = next(edge for edge in compilation.edges.edges if edge.lower == "sass")
    assert edge.exact, edge.reason
    accesses = {access.row: access for access in banks.accesses(compilation.text("ptx"))}
    for instruction, counted in zip(code.function.instructions, measured, strict=False):
        if instruction.name not in SHARED or instruction.predicate == "!PT":
            continue
        (row,) = edge.uppers[instruction.row]
        access = accesses.get(row)
        write = instruction.name not in ("LDS", "LDSM")
        ptx = access.instruction if access is not None else compilation.text("ptx").splitlines()[row].split()[0]
        words = f"{instruction.opcode} {instruction.operands[0 if write else -1]}"
        yield Compared(words, ptx, write, *predicted(access, case, counted), counted)


def predicted(access: Access | None, case: Case, counted: Measured) -> tuple[int | None, int | None]:
    """Wavefronts of all executions, and without conflicts."""
    if access is None or access.wavefronts is None or access.ideal is None or access.warps is None:
        return None, None
    taking_part, rest = divmod(counted.executed * access.warps, case.warps)
    assert not rest, "some warps of a block execute it and others do not"
    return access.wavefronts * taking_part, access.ideal * taking_part


def table(case: Case, rows: Sequence[Compared], totals: dict[str, int]) -> str:
    lines = [f"\n{case.name}: {case.kernel} {case.constants}, {case.warps} warps, {case.blocks} blocks"]
    lines.append(f"{'SASS':34} {'PTX':42} {'warps':>5} {'irscope':>8} {'ideal':>6} {'ncu':>8} {'ideal':>6}")
    for row in rows:
        said = ["?" if value is None else str(value) for value in (row.wavefronts, row.ideal)]
        counted = row.measured
        mark = "" if row.wavefronts in (None, counted.wavefronts) else "  <<<"
        lines.append(
            f"{row.sass:34} {row.ptx:42} {counted.executed:5} {said[0]:>8} {said[1]:>6} "
            f"{counted.wavefronts:8} {counted.ideal:6}{mark}"
        )
    return "\n".join((*lines, *(f"  {name} {value}" for name, value in totals.items())))


@pytest.fixture
def rows(instructions: dict[str, list[Measured]]) -> Callable[[Case], list[Compared]]:
    return lambda case: list(compared(case, instructions[case.name]))


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str], totals: dict[str, dict[str, int]]) -> Callable[..., None]:
    """Prints a case's table into the run's log, whether the test passes or not."""

    def show(case: Case, found: Sequence[Compared]) -> None:
        with capsys.disabled():
            print(table(case, found, totals[case.name]))

    return show


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_as_many_conflicts_as_the_gpu_has(
    case: Case, rows: Callable[[Case], list[Compared]], shown: Callable[..., None]
) -> None:
    """By instruction, what its conflicts cost beyond the turns that it needs anyway."""
    found = rows(case)
    shown(case, found)
    known = [row for row in found if row.wavefronts is not None and row.ideal is not None]
    assert known
    for row in known:
        assert row.wavefronts is not None and row.ideal is not None
        assert row.measured.executed
        excess = max(row.measured.wavefronts - row.measured.ideal, 0)
        assert row.wavefronts - row.ideal == excess, row


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_as_many_wavefronts_as_the_gpu_has(case: Case, rows: Callable[[Case], list[Compared]]) -> None:
    """By instruction, all turns; where threads ask for the same words the GPU may need fewer than irscope says."""
    for row in rows(case):
        if row.wavefronts is not None and row.wavefronts != row.measured.wavefronts:
            assert row.measured.wavefronts < row.wavefronts == row.ideal, row


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_hardware_counts_no_fewer(
    case: Case, rows: Callable[[Case], list[Compared]], totals: dict[str, dict[str, int]]
) -> None:
    counted, found = totals[case.name], rows(case)
    assert READS in counted and WRITES in counted, counted
    if any(row.wavefronts is None for row in found):
        pytest.skip("irscope does not know all accesses of this kernel")
    for write, name in ((False, READS), (True, WRITES)):
        expected = sum(row.measured.wavefronts for row in found if row.write == write)
        assert counted[name] >= expected, name
        if case.warps == 1:
            assert counted[name] == expected, name


def test_layouts_with_and_without_conflicts_are_among_them(rows: Callable[[Case], list[Compared]]) -> None:
    """Measured: the ways of a load are those that its layout was chosen for."""
    ways = {}
    for case in CASES:
        if case.kernel == "turned_kernel" and case.constants["VECTOR"] == 1:
            loads = [row.measured for row in rows(case) if row.sass.startswith("LDS ")]
            ways[case.constants["PHASES"]] = {each.wavefronts // each.executed for each in loads}
    assert ways == {1: {32}, 2: {16}, 4: {8}, 8: {4}, 16: {2}, 32: {1}}
