"""Exact edges of real compiles: what they join is right, and the second compile made the very same code."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from samples import SAMPLES
from test_versions import python_with

from irscope import bundle, client, interpreter, ir, session, tools
from irscope.client import Cancelled, Client
from irscope.correlate import Correlation
from irscope.devices import DEFAULT_TARGET
from irscope.edges import Edges
from irscope.events import Event, Finished
from irscope.exact import EdgeFound, EdgesFinished, EdgesStarted, exact_edges
from irscope.ir import StageIndex
from irscope.lineage import Lineages
from irscope.model import Compilation, Target
from irscope.request import Request

KERNELS = ("vector_add", "softmax", "matmul", "helper_calls", "histogram", "flash_attention")
NVIDIA = ["ttir", "ttgir", "llir", "ptx", "sass"]
GLUON = """\
from triton.experimental import gluon
from triton.experimental.gluon import language as gl


@gluon.jit
def copy_kernel(source, target, n, BLOCK: gl.constexpr = 1024):
    layout: gl.constexpr = gl.BlockedLayout([8], [32], [4], [0])
    places = gl.program_id(0) * BLOCK + gl.arange(0, BLOCK, layout=layout)
    gl.store(target + places, gl.load(source + places, mask=places < n) * 2.0, mask=places < n)
"""
PADDING = re.compile(r"\s*/\*[0-9a-f]+\*/\s+NOP\b")


class Followed:
    """A compilation with its edges, and the texts they join."""

    def __init__(self, compilation: Compilation) -> None:
        assert compilation.failure is None
        assert compilation.edges is not None
        self.compilation = compilation
        self.edges: Edges = compilation.edges
        self.stages: Mapping[str, StageIndex] = {
            name: ir.index(name, stage.text) for name, stage in compilation.stages.items() if stage.text is not None
        }
        self.sources = {source.path: source.text for source in compilation.sources}

    def rows(self, stage: str, word: str) -> list[int]:
        """Operations of a stage that have a word."""
        index = self.stages[stage]
        found = [row for row, line in enumerate(index.lines) if index.operations[row] and re.search(word, line)]
        assert found, f"no {word} in {stage}"
        return found

    def lines(self, start: str, row: int, end: str) -> list[str]:
        return [self.stages[end].lines[other] for other in self.edges.rows(start, [row], end)]

    def share(self, lower: str, upper: str) -> float:
        """Of the operations of ``lower``, how many have an edge up to ``upper``."""
        index = self.stages[lower]
        rows = [row for row, line in enumerate(index.lines) if index.operations[row] and not PADDING.match(line)]
        return sum(bool(self.edges.rows(lower, [row], upper)) for row in rows) / len(rows)

    @property
    def lineages(self) -> Lineages:
        return Lineages(self.edges, self.stages, self.sources)


def request_for(kernel: str, target: str, **fields: Any) -> Request:
    return Request(SAMPLES / f"{kernel}.py", target=Target.parse(target), **fields)


@pytest.fixture(scope="session")
def followed(own_directories: None) -> Callable[..., Followed]:
    @cache
    def compiled(kernel: str, target: str = "sm_90", python: Path | None = None) -> Followed:
        request = request_for(kernel, target, python=python)
        return Followed(exact_edges(session.open(request), request))

    return compiled


@pytest.mark.parametrize("target", ["sm_80", "sm_90"])
@pytest.mark.parametrize("kernel", KERNELS)
def test_nearly_every_operation_has_an_exact_edge(kernel: str, target: str, followed: Callable[..., Followed]) -> None:
    found = followed(kernel, target)
    assert [*found.edges.stages] == NVIDIA
    assert [edge.reason for edge in found.edges.edges] == [None] * 4
    assert found.edges.is_exact("ttir", "sass")
    assert found.share("sass", "ptx") >= 0.99
    assert found.share("ptx", "ttgir") >= 0.97
    assert found.share("ttgir", "ttir") >= 0.95
    ttir = found.stages["ttir"]
    assert all(found.edges.spans[row] for row, chain in enumerate(ttir.chains) if chain)


@pytest.mark.parametrize(
    ("kernel", "target"), [("matmul", "sm_90"), ("flash_attention", "sm_80"), ("softmax", "sm_75")]
)
def test_the_second_compiles_sass_is_the_first_ones(kernel: str, target: str) -> None:
    request = session.with_kernel(request_for(kernel, target))
    plain = session.open(request)
    texts: dict[str, str] = {}

    def collect(message: Mapping[str, Any]) -> None:
        if message["event"] == "snapshot":
            texts[message["name"]] = message["text"]

    asked = {**session.compile_message(request, plain.target), "do": "snapshots"}
    python = interpreter.identify(None).python
    answer, _ = session.ask(python, asked, collect, None, threading.Event())
    assert answer["event"] == "result"
    arch = re.search(r"^\.target (\w+)", plain.text("ptx"), re.MULTILINE)
    assert arch is not None
    assert "irscope-snapshot.llir" in texts["ptx"]
    second_ptx = "\n".join(ir.clean("ptx", texts["ptx"]).lines)  # its debug sections would keep ptxas from optimizing
    first, second = (
        code_of(tools.disassemble(tools.assemble(for_any_ptxas(ptx), arch[1], *options), "-c", "-hex"))
        for ptx, options in ((plain.text("ptx"), ["-lineinfo"]), (second_ptx, []))
    )
    assert len(first) > 20
    assert second == first


def for_any_ptxas(ptx: str) -> str:
    """Triton writes the version of the newer of its two ptxas; nothing in these kernels needs it."""
    return re.sub(r"^\.version .*$", ".version 8.7", ptx, flags=re.MULTILINE)


def code_of(sass: str) -> list[str]:
    return [line for line in sass.splitlines() if re.search(r"/\* ?0x[0-9a-f]+ ?\*/", line)]


def test_a_tensor_core_instruction_leads_to_its_dot_and_its_expression(followed: Callable[..., Followed]) -> None:
    found = followed("matmul")
    rows = found.rows("sass", "HGMMA")
    ptx = [found.edges.rows("sass", [row], "ptx") for row in rows]
    assert [list(rows) for rows in ptx] == [[row] for row in found.rows("ptx", r"wgmma\.mma_async")]
    for row in rows:
        assert any("warp_group_dot" in line for line in found.lines("sass", row, "ttgir"))
        assert ["tt.dot " in line for line in found.lines("sass", row, "ttir")] == [True]
        (spans,) = found.edges.expressions("sass", row)
        assert found.lineages.text(spans[0]) == "tl.dot(a, b, acc)"


def test_every_copy_to_shared_memory_leads_to_its_own_load(followed: Callable[..., Followed]) -> None:
    found = followed("matmul", "sm_80")
    loads = [found.edges.expressions("sass", row) for row in found.rows("sass", "LDGSTS")]
    texts = {found.lineages.text(spans[0]) for expressions in loads for spans in expressions}
    assert texts == {
        "tl.load(a_ptrs, mask=ks[None, :] < K - k, other=0.0)",
        "tl.load(b_ptrs, mask=ks[:, None] < K - k, other=0.0)",
    }


def test_expressions_that_begin_at_one_place_are_told_apart(followed: Callable[..., Followed]) -> None:
    found = followed("helper_calls")
    sums = {found.lineages.text(found.edges.spans[row][0]) for row in found.rows("ttir", r"arith\.addf")}
    assert sums == {"x + 0.044715 * x * x * x", "1.0 + e", "1.0 + tanh(inner)"}
    products = [found.lineages.text(found.edges.spans[row][0]) for row in found.rows("ttir", r"arith\.mulf")]
    assert products[:3] == ["0.044715 * x", "0.044715 * x * x", "0.044715 * x * x * x"]


def test_a_lineage_says_what_an_expression_became_and_which_calls_inlined_it(
    followed: Callable[..., Followed],
) -> None:
    found = followed("helper_calls")
    (row,) = [row for row in found.rows("ttir", r"math\.exp") if len(found.edges.spans[row]) == 3]
    lineage = found.lineages.chain("ttir", row)
    assert lineage.expression == "tl.exp(-2.0 * tl.abs(x))"
    assert (lineage.operation, lineage.operations, lineage.exact) == ("math.exp", 1, True)
    assert [found.lineages.text(call) for call in lineage.calls] == ["tanh(inner)", "gelu(x)"]
    assert list(lineage.became) == ["ttgir", "llir", "ptx", "sass"]
    assert lineage.became["ttgir"] == 1
    instructions = found.edges.rows("ttir", [row], "sass")
    assert lineage.became["sass"] == len(instructions) >= 8
    exponential = next(other for other in instructions if "MUFU.EX2" in found.stages["sass"].lines[other])
    assert found.lineages.chain("sass", exponential) == lineage
    assert lineage.span is not None
    both = found.lineages.at(lineage.span.file, lineage.span.line - 1, lineage.span.column)
    # The helper that is called, and not inlined, has the same expression.
    assert (both.expression, both.operation, both.operations) == (lineage.expression, "math.exp", 2)
    assert both.became["sass"] > lineage.became["sass"]


def test_a_lineage_of_nothing_is_empty(followed: Callable[..., Followed]) -> None:
    found = followed("vector_add")
    assert not found.lineages.chain("ttir", 10_000)
    assert not found.lineages.at("elsewhere.py", 0, 1)
    assert not Lineages(Edges(), found.stages, found.sources).chain("ttir", 3)


def test_heads_of_statements_and_functions_are_lit_without_their_bodies(followed: Callable[..., Followed]) -> None:
    found = followed("matmul")
    (loop,) = found.rows("ttir", r"scf\.for ")
    assert found.lineages.chain("ttir", loop).expression == "for k in range(0, K, BLOCK_K)"
    (function,) = found.rows("ttir", r"tt\.func ")
    assert found.lineages.chain("ttir", function).expression == "def matmul_kernel"


def test_the_columns_of_an_indented_function_and_of_wide_letters_are_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "indented.py"
    file.write_text(
        "import triton\nimport triton.language as tl\n\n\ndef make():\n    @triton.jit\n"
        "    def kernel(größe_ptr, out_ptr):\n        tl.store(out_ptr, tl.load(größe_ptr) + tl.load(out_ptr))\n"
        "    return kernel\n\n\nkernel = make()\n",
        encoding="utf-8",
    )
    request = Request(file, target=Target.parse("sm_90"))
    found = Followed(exact_edges(session.open(request), request))
    expressions = [found.lineages.chain("ttir", row).expression for row in found.rows("ttir", r"tt\.load|arith\.addf")]
    assert expressions == ["tl.load(größe_ptr)", "tl.load(out_ptr)", "tl.load(größe_ptr) + tl.load(out_ptr)"]


def test_correlation_follows_edges_and_keeps_the_lines_beside_them(followed: Callable[..., Followed]) -> None:
    found = followed("matmul")
    kernel_file = found.compilation.kernel.file
    by_line = Correlation(found.stages, found.sources, kernel_file)
    by_edges = Correlation(found.stages, found.sources, kernel_file, found.edges)
    row = found.rows("sass", "HGMMA")[0]
    related = by_edges.related("sass", row)
    dot = found.rows("ttir", r"tt\.dot ")
    assert list(related["ttir"].exact) == dot
    assert related["ttir"].by_edges
    source = found.sources[kernel_file].splitlines()
    assert ["tl.dot(" in source[line] for line in related["source"].exact] == [True]
    # ptxas itself says another line of the HGMMA.
    assert set(dot) - set(by_line.related("sass", row)["ttir"].rows)
    # Downward from the expression, by its column.
    (span,) = found.edges.spans[dot[0]]
    down = by_edges.related("source", span.line - 1, span.column)
    assert set(found.rows("sass", "HGMMA")) <= set(down["sass"].exact)
    assert not by_line.related("source", span.line - 1, span.column)["sass"].by_edges


@pytest.mark.parametrize(("kernel", "target"), [("matmul", "gfx942"), ("softmax", "gfx1100")])
def test_amd_as_far_as_its_assembly(kernel: str, target: str, followed: Callable[..., Followed]) -> None:
    found = followed(kernel, target)
    assert [*found.edges.stages] == ["ttir", "ttgir", "llir", "amdgcn"]
    assert [edge.reason for edge in found.edges.edges] == [None] * 3
    assert found.share("amdgcn", "llir") > 0.7


def test_amds_matrix_instructions_lead_to_their_dot(followed: Callable[..., Followed]) -> None:
    found = followed("matmul", "gfx942")
    for row in found.rows("amdgcn", "v_mfma"):
        assert ["tt.dot " in line for line in found.lines("amdgcn", row, "ttir")] == [True]


def test_gluon_begins_with_its_own_stage(tmp_path: Path) -> None:
    file = tmp_path / "copying.py"
    file.write_text(GLUON, encoding="utf-8")
    request = Request(file, target=Target.parse("sm_90"))
    found = Followed(exact_edges(session.open(request), request))
    assert [*found.edges.stages] == ["glir", *NVIDIA[1:]]
    (load,) = {found.lineages.chain("sass", row).expression for row in found.rows("sass", r"LDG\.")}
    assert load == "gl.load(source + places, mask=places < n)"


def test_steps_are_told_in_order() -> None:
    request = request_for("vector_add", "sm_86", fresh=True)
    events: list[Event] = []
    compilation = exact_edges(session.open(request), request, events.append)
    assert isinstance(events[0], EdgesStarted)
    assert list(events[0].stages) == NVIDIA
    edges = [event.edge for event in events if isinstance(event, EdgeFound)]
    assert tuple(edges) == (compilation.edges or Edges()).edges
    assert events[-1] == EdgesFinished(compilation)


def test_the_store_and_bundles_keep_edges(tmp_path: Path) -> None:
    request = request_for("vector_add", "sm_89")
    compilation = exact_edges(session.open(request), request)
    assert compilation.edges
    events: list[Event] = []
    again = session.open(request, events.append)
    assert isinstance(events[-1], Finished)
    assert events[-1].stored
    assert again.edges == compilation.edges
    assert exact_edges(again, request) is again
    for name in ("kernel.irscope", "folder"):
        bundle.write(compilation, tmp_path / name)
        assert bundle.read(tmp_path / name).edges == compilation.edges


def test_a_changed_file_gets_the_edges_of_what_was_compiled_or_none(tmp_path: Path) -> None:
    file = tmp_path / "vector_add.py"
    shutil.copy(SAMPLES / "vector_add.py", file)
    request = Request(file, target=Target.parse("sm_90"))
    compilation = session.open(request)
    file.write_text(file.read_text(encoding="utf-8").replace("x + y", "x * y"), encoding="utf-8")
    # The worker that compiled it still has it.
    assert exact_edges(compilation, request).edges
    session.close()
    lost = exact_edges(compilation, request).edges
    assert lost is not None
    assert not lost
    assert "has changed since" in (lost.reason or "")
    # The worker has one state of the file, the compilation is of another: it loads the file again.
    changed = session.open(request)
    file.write_text(file.read_text(encoding="utf-8").replace("x * y", "x + y"), encoding="utf-8")
    assert exact_edges(compilation, request).edges
    lost = exact_edges(changed, request).edges
    assert lost is not None
    assert "has changed since" in (lost.reason or "")


def test_what_was_read_from_a_file_has_none_and_says_so(tmp_path: Path, followed: Callable[..., Followed]) -> None:
    plain = replace(followed("vector_add").compilation, edges=None)
    bundle.write(plain, tmp_path / "kernel.irscope")
    (tmp_path / "kernel.ttir").write_text(plain.text("ttir"), encoding="utf-8")
    for name in ("kernel.irscope", "kernel.ttir"):
        request = Request(tmp_path / name)
        edges = exact_edges(session.open(request), request).edges
        assert edges is not None
        assert not edges
        assert name in (edges.reason or "")


@pytest.mark.parametrize("kernel", ["matmul", "vector_add"])
def test_cancelling_ends_the_second_compile(kernel: str) -> None:
    request = request_for(kernel, "sm_90", fresh=True)
    compilation = session.open(request)
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        exact_edges(compilation, request, lambda event: cancel.set(), cancel)
    assert exact_edges(compilation, request).edges


def test_a_worker_outlives_a_second_compile_that_is_cancelled_unless_it_does_not_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    python = interpreter.identify(None).python
    request = session.with_kernel(request_for("vector_add", "sm_90"))
    message = {**session.compile_message(request, request.target or DEFAULT_TARGET), "do": "snapshots"}
    with Client() as own:
        first = own.start(python)
        for lives in (True, False):
            cancel, stages = threading.Event(), list[str]()

            def stop(told: dict[str, Any], cancel: threading.Event = cancel, stages: list[str] = stages) -> None:
                if told["event"] == "snapshot":
                    stages.append(told["name"])
                    cancel.set()

            if not lives:
                monkeypatch.setattr(client, "STOP_SECONDS", 0)
            with pytest.raises(Cancelled):
                own.ask(python, message, stop, None, cancel)
            assert stages == ["ttir"]
            assert first.alive == lives
            answer, _ = own.ask(python, message, lambda _: None)
            assert answer["event"] == "result"
            assert (own.start(python) is first) == lives


@pytest.mark.versions
@pytest.mark.parametrize("kernel", ["matmul", "helper_calls"])
def test_other_tritons(kernel: str, triton: str, followed: Callable[..., Followed]) -> None:
    found = followed(kernel, "sm_90", python_with(triton))
    assert found.compilation.triton == triton
    assert [*found.edges.stages] == NVIDIA
    assert [edge.reason for edge in found.edges.edges] == [None] * 4
    assert found.share("sass", "ptx") >= 0.99
    assert found.share("ptx", "ttgir") >= 0.97
    assert found.share("ttgir", "ttir") >= 0.95
    word, expression = {
        "matmul": (r"tt\.dot ", "tl.dot(a, b, acc)"),
        "helper_calls": (r"math\.exp ", "tl.exp(-2.0 * tl.abs(x))"),
    }[kernel]
    for row in found.rows("ttir", word):
        assert found.lineages.chain("ttir", row).expression == expression
        assert found.edges.rows("ttir", [row], "sass")
    if kernel == "matmul":
        assert any("HGMMA" in line for line in found.lines("ttir", found.rows("ttir", word)[0], "sass"))
