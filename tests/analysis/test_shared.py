"""The map of shared memory against what Triton says it takes in all, on real kernels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from samples import KERNELS, SAMPLE_KERNELS, SAMPLES
from test_versions import python_with

from irscope import allocation, session
from irscope.analysis.lifetimes import Span
from irscope.analysis.shared import Buffer, SharedMemory
from irscope.model import Compilation, Target
from irscope.request import Request

TARGETS = ("sm_80", "sm_90", "sm_120", "gfx942")
OWN = KERNELS / "shared_memory.py"
HALVES = dict.fromkeys(("a_ptr", "b_ptr", "c_ptr"), "*fp16:16")
#: By kernel of OWN: the targets that have what it uses.
OWN_KERNELS = {
    "scratch_of_every_kind": (*TARGETS, "sm_100"),
    "product_of_described_tiles": ("sm_90", "sm_100", "sm_120"),
    "calls_twice": TARGETS,
    "roles_of_warps": ("sm_100",),
}


@cache
def own(kernel: str, target: str) -> Compilation:
    products = kernel in ("product_of_described_tiles", "roles_of_warps")
    request = Request(
        OWN, kernel, Target.parse(target), constants={"BLOCK": "128" if products else "1024"},
        arguments=HALVES if products else {},
    )  # fmt: skip
    compilation = session.open(request)
    assert compilation.failure is None, compilation.failure
    return compilation


@cache
def own_map(kernel: str, target: str) -> SharedMemory:
    return allocation.shared_memory(own(kernel, target))


def assert_whole(found: SharedMemory, compilation: Compilation) -> None:
    """Total as in the metadata, all of it owned, each owner where the map says, nothing in two uses at once."""
    assert found.incomplete is None
    assert found.total == found.metadata_total == compilation.metadata["shared"]
    assert max((buffer.end or 0 for buffer in found.buffers), default=0) == found.total
    assert found.clashes() == []
    rows = compilation.text("ttgir").splitlines()
    assert bool(found.buffers) == bool(found.total)
    for buffer in found.buffers:
        assert buffer.bytes
        assert buffer.operation in rows[buffer.row]
        assert all(0 <= span.first <= span.last < len(rows) for span in buffer.live)
        assert buffer.operation == "tt.func" or any(buffer.row in span for span in buffer.live)
        assert all("tt.call" in rows[row] for row in buffer.calls)
    for row, line in enumerate(rows):
        if "ttg.local_alloc" in line:
            assert any(buffer.row == row for buffer in found.buffers), line


@pytest.mark.parametrize("target", TARGETS)
def test_sample_kernels(target: str, compiled_sample: Callable[[str, str], Compilation]) -> None:
    used = 0
    for path in (*SAMPLE_KERNELS, *(f"{KERNELS / file}.py::" for file in ("spills", "two_kernels", "noisy"))):
        compilation = compiled_sample(path, target)
        assert compilation.failure is None, path
        found = allocation.shared_memory(compilation)
        assert_whole(found, compilation)
        used += len(found.buffers)
    assert used > 20


@pytest.mark.sweep
@pytest.mark.parametrize(("kernel", "target"), [(name, arch) for name, archs in OWN_KERNELS.items() for arch in archs])
def test_every_use_of_shared_memory(kernel: str, target: str) -> None:
    assert_whole(own_map(kernel, target), own(kernel, target))


@pytest.mark.versions
@pytest.mark.sweep
@pytest.mark.parametrize("target", ["sm_90", "gfx942"])
def test_other_tritons(triton: str, target: str) -> None:
    """Sizes too, which Tritons before 3.9 do not write down."""
    python = python_with(triton)
    for path in SAMPLE_KERNELS:
        file, _, kernel = path.rpartition("::")
        compilation = session.open(Request(Path(file), kernel, Target.parse(target), python=python))
        if compilation.failure is None:
            assert_whole(allocation.shared_memory(compilation, python), compilation)
    own_scratch = session.open(
        Request(OWN, "scratch_of_every_kind", Target.parse("sm_90"), constants={"BLOCK": "1024"}, python=python)
    )
    assert own_scratch.failure is None
    assert_whole(allocation.shared_memory(own_scratch, python), own_scratch)


def test_scratch_has_the_operation_that_needs_it() -> None:
    owners = {buffer.operation for buffer in own_map("scratch_of_every_kind", "sm_90").buffers}
    assert owners == {
        "tt.histogram", "tt.reduce", "tt.atomic_rmw", "tt.gather", "tt.scan", "ttg.convert_layout",
    }  # fmt: skip


def test_sizes_are_what_the_operations_need() -> None:
    by_operation = {buffer.operation: buffer.bytes for buffer in own_map("scratch_of_every_kind", "sm_90").buffers}
    # 256 counters of 4 bytes; one element of 4 bytes; all 1024 elements, of which each thread may want any.
    assert by_operation["tt.histogram"] == 256 * 4
    assert by_operation["tt.atomic_rmw"] == 4
    assert by_operation["tt.gather"] == 1024 * 4


def test_the_ring_of_a_pipelined_matmul(matmul: Compilation) -> None:
    found = allocation.shared_memory(matmul)
    rings = [buffer for buffer in found.buffers if buffer.kind == "data"]
    assert [ring.name for ring in rings] == ["a", "b"]
    assert [ring.bytes for ring in rings] == [3 * 128 * 64 * 2, 3 * 64 * 128 * 2]
    lines = (SAMPLES / "matmul.py").read_text(encoding="utf-8").splitlines()
    for ring, parameter in zip(rings, ("a", "b"), strict=True):
        assert f"{parameter} = tl.load(" in lines[ring.source[0].line - 1]
    # The loop's whole text is within the time of use, and what comes after the loop is not.
    rows = matmul.text("ttgir").splitlines()
    loop = next(row for row, line in enumerate(rows) if "scf.for" in line)
    stored = next(row for row, line in enumerate(rows) if "tt.store" in line)
    for ring in rings:
        (live,) = ring.live
        assert live.first < loop < live.last < stored
        assert "ttg.local_dealloc" in rows[live.last]
    (scratch,) = (buffer for buffer in found.buffers if buffer.kind == "scratch")
    assert scratch.operation == "ttg.convert_layout"
    assert rings[0] in found.sharing(scratch)
    assert scratch in found.live_at(scratch.row)
    assert rings[0] not in found.live_at(scratch.row)


def test_barriers_are_told_from_data() -> None:
    found = own_map("product_of_described_tiles", "sm_90")
    kinds = {buffer.kind for buffer in found.buffers}
    assert kinds == {"data", "barrier", "scratch"}
    for buffer in found.buffers:
        assert (buffer.kind == "barrier") == ("xi64" in buffer.type)


def test_a_function_that_is_not_inlined_has_its_memory_at_each_call() -> None:
    buffers = [buffer for buffer in own_map("calls_twice", "sm_90").buffers if buffer.calls]
    assert len(buffers) == 2
    assert len({buffer.calls for buffer in buffers}) == 2
    assert not buffers[0].is_live_with(buffers[1])


def test_tensor_memory_is_apart() -> None:
    found = own_map("product_of_described_tiles", "sm_100")
    (tensor,) = found.tensor_memory
    assert tensor.type.startswith("128x128xf32")
    assert found.tensor_memory_columns == own("product_of_described_tiles", "sm_100").metadata["tmem_size"] == 128
    assert own_map("product_of_described_tiles", "sm_90").tensor_memory == ()


def test_buffers_of_warps_with_roles_are_live_while_the_other_warps_run() -> None:
    found = own_map("roles_of_warps", "sm_100")
    inside = [buffer for buffer in found.buffers if len(buffer.live) > 1]
    assert inside
    for buffer in inside:
        assert not any(one.overlaps(two) for one in buffer.live for two in buffer.live if one is not two)


def test_a_wrong_map_is_found_out() -> None:
    """Buffers moved onto another that is in use meanwhile are told as a clash."""
    found = own_map("product_of_described_tiles", "sm_90")
    rings = [buffer for buffer in found.buffers if buffer.kind == "data" and len(found.live_at(buffer.row)) > 1]
    assert rings
    moved = replace(rings[0], offset=next(b.offset for b in found.live_at(rings[0].row) if b is not rings[0]))
    others = tuple(buffer for buffer in found.buffers if buffer is not rings[0])
    assert replace(found, buffers=(*others, moved)).clashes()


def test_calls_and_rows_decide_what_is_live_together() -> None:
    def buffer(first: int, last: int, *calls: int) -> Buffer:
        return Buffer(0, 4, "scratch", "tt.reduce", None, "", first, (), (Span(first, last),), calls)

    assert buffer(1, 5).is_live_with(buffer(5, 9))
    assert not buffer(1, 5).is_live_with(buffer(6, 9))
    # Rows of a function that is called say nothing beside rows of the kernel: there the call's row counts.
    assert not buffer(1, 5).is_live_with(buffer(3, 4, 20))
    assert buffer(1, 30).is_live_with(buffer(3, 4, 20))
    assert not buffer(1, 5, 20).is_live_with(buffer(3, 4, 21))
    assert buffer(1, 5, 20).is_live_with(buffer(3, 4, 20))


def test_another_triton_than_the_compiles_is_not_asked(matmul: Compilation) -> None:
    found = allocation.shared_memory(replace(matmul, triton="3.0.0"))
    assert "3.0.0" in (found.incomplete or "")
    assert found.total is None
    assert found.metadata_total == matmul.metadata["shared"]
    assert [buffer.name for buffer in found.buffers] == ["a", "b"]
    assert [(buffer.offset, buffer.bytes) for buffer in found.buffers] == [(None, None)] * 2
    whole = allocation.shared_memory(matmul)
    assert {b.row: b.live for b in found.buffers}.items() <= {b.row: b.live for b in whole.buffers}.items()


def test_a_ttgir_file_has_a_map_but_nothing_to_compare_it_with(matmul: Compilation, tmp_path: Path) -> None:
    file = tmp_path / "matmul.ttgir"
    file.write_text(matmul.text("ttgir"), encoding="utf-8")
    found = allocation.shared_memory(session.open(Request(file, target=Target.parse("sm_90"))))
    assert found.incomplete is None
    assert found.metadata_total is None
    assert found.total == matmul.metadata["shared"]


def test_without_ttgir_there_is_no_map(matmul: Compilation) -> None:
    found = allocation.shared_memory(replace(matmul, stages={}))
    assert found.buffers == ()
    assert found.incomplete == "there is no TTGIR to read"


def test_a_ttgir_that_is_cut_short_is_said_to_be(matmul: Compilation) -> None:
    text = matmul.text("ttgir")
    stages = {**matmul.stages, "ttgir": replace(matmul.stages["ttgir"], text=text[: len(text) // 2])}
    found = allocation.shared_memory(replace(matmul, stages=stages))
    assert found.incomplete
    assert found.total is None


def test_a_total_that_is_not_the_metadatas_is_said(matmul: Compilation) -> None:
    metadata = {**matmul.metadata, "shared": matmul.metadata["shared"] + 1}
    found = allocation.shared_memory(replace(matmul, metadata=metadata))
    assert str(metadata["shared"]) in (found.incomplete or "")
