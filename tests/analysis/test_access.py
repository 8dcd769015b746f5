"""Which tensors a kernel reads and writes, for kernels that reach memory in every way."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from made_ttir import compile_ttir, run_script
from samples import SAMPLES
from test_versions import python_with

from irscope.analysis.access import Access, accesses, bytes_moved
from irscope.ir import ssa
from irscope.model import Compilation

#: By kernel of ``kernels/memory.py``, in words.
EXPECTED = {
    "copies": {"x_ptr": "read", "out_ptr": "written", "unused_ptr": "not used"},
    "in_place": {"x_ptr": "read and written"},
    "atomics": {"x_ptr": "read", "sum_ptr": "atomically changed", "lock_ptr": "atomically changed"},
    "calls": {"a_ptr": "read", "b_ptr": "read and written", "c_ptr": "written"},
    "moving_pointers": {"a_ptr": "read", "b_ptr": "read", "c_ptr": "written"},
    "swaps": {"a_ptr": "read and written", "b_ptr": "read and written"},
    "addresses": {"table_ptr": "unknown", "out_ptr": "unknown"},
    "assembly": {"x_ptr": "read", "y_ptr": "unknown", "out_ptr": "written"},
    "elements": {"pair.0": "read", "pair.1": "written"},
    "block_pointers": {"a_ptr": "read", "out_ptr": "written"},
    "descriptors": {"a_ptr": "read", "out_ptr": "written", "sum_ptr": "atomically changed"},
    "host_descriptors": {"a_desc": "read", "out_desc": "written"},
}


def words(text: str, signature: Mapping[str, object] | None = None) -> dict[str, str]:
    return {name: access.word for name, access in accesses(text, signature).items()}


def signature_of(name: str) -> dict[str, object]:
    """As a specialization has it: a tuple is one parameter, of which the kernel sees its elements."""
    tensors: dict[str, object] = (
        {"pair": ("*fp32", "*fp32")} if name == "elements" else dict.fromkeys(EXPECTED[name], "*fp32")
    )
    numbers = ("n", "flag") if name == "moving_pointers" else ("n",)
    return {**tensors, **dict.fromkeys(numbers, "i32"), "BLOCK": "constexpr"}


def test_every_kernel_is_there(ttir: Mapping[str, str]) -> None:
    assert set(EXPECTED) - set(ttir) <= {"block_pointers", "descriptors", "host_descriptors"}


@pytest.mark.parametrize("name", EXPECTED)
def test_accesses_by_names_from_the_signature(ttir: Mapping[str, str], name: str) -> None:
    if name not in ttir:
        pytest.skip(f"this Triton cannot compile {name}")
    assert words(ttir[name], signature_of(name)) == EXPECTED[name]


@pytest.mark.parametrize("name", ["moving_pointers", "elements", "host_descriptors"])
def test_names_come_from_the_locations_too(ttir: Mapping[str, str], name: str) -> None:
    """Even where the code gives a parameter another name, as ``src = a_ptr`` does."""
    kernel = ssa.entry(ssa.functions(ttir.get(name, "")))
    if kernel is None or kernel.parameters[0].name is None:
        pytest.skip("this Triton does not write them")
    assert words(ttir[name]) == EXPECTED[name]


def test_without_names_parameters_go_by_their_position(ttir: Mapping[str, str]) -> None:
    anonymous = re.sub(r'loc\("\w+"\(#loc\d*\)\)', "loc(unknown)", ttir["copies"])
    assert words(anonymous) == {"%arg0": "read", "%arg1": "written", "%arg2": "not used"}
    assert words(anonymous, signature_of("copies")) == EXPECTED["copies"]


@pytest.mark.versions
def test_accesses_with_other_tritons(triton: str, tmp_path: Path) -> None:
    made = compile_ttir(python_with(triton), tmp_path)
    expected = {name: EXPECTED[name] for name in made if name in EXPECTED}
    assert {name: words(made[name], signature_of(name)) for name in expected} == expected
    assert len(expected) >= 9


@pytest.mark.parametrize(
    ("kernel", "written"),
    [
        ("vector_add.py::vector_add_kernel", {"out_ptr"}),
        ("softmax.py::softmax_kernel", {"out_ptr"}),
        ("matmul.py::matmul_kernel", {"c_ptr"}),
        ("flash_attention.py::flash_attention_kernel", {"out_ptr"}),
    ],
)
def test_samples_read_what_they_do_not_write(
    compiled_sample: Callable[[str, str], Compilation], kernel: str, written: set[str]
) -> None:
    compilation = compiled_sample(f"{SAMPLES / kernel}", "sm_90")
    text = compilation.stages["ttir"].text
    assert text
    found = accesses(text, compilation.specialization.signature)
    pointers = {name for name, kind in compilation.specialization.signature.items() if kind.startswith("*")}
    assert set(found) == pointers
    assert {name for name, access in found.items() if access.written} == written
    assert {name for name, access in found.items() if access.read} == pointers - written


def test_ttgir_says_the_same_as_ttir(compiled_sample: Callable[[str, str], Compilation]) -> None:
    """It is all there is of a Gluon kernel; pipelined loads are copies to shared memory there."""
    for kernel in ("matmul.py::matmul_kernel", "flash_attention.py::flash_attention_kernel"):
        stages = compiled_sample(f"{SAMPLES / kernel}", "sm_90").stages
        assert accesses(stages["ttgir"].text or "") == accesses(stages["ttir"].text or "") != {}


def test_each_partition_of_specialized_warps_counts(matmul: Compilation) -> None:
    if tuple(map(int, (matmul.triton or "0").split(".")[:2])) < (3, 9):
        pytest.skip("Gluon is not settled before Triton 3.9")
    made = run_script("gluon_ttgir.py")
    assert "ttg.warp_specialize" in made
    assert words(made) == {"x_ptr": "read", "out_ptr": "written"}


def test_a_value_with_no_definition_makes_all_unknown(ttir: Mapping[str, str]) -> None:
    row = next(row for row in ttir["copies"].splitlines() if " = tt.addptr" in row)
    assert set(words(ttir["copies"].replace(row, "")).values()) == {"unknown"}


def test_an_operation_from_the_future_makes_its_tensor_unknown(ttir: Mapping[str, str]) -> None:
    found = words(ttir["copies"].replace("tt.store", "tt.teleport"), signature_of("copies"))
    assert found == {**EXPECTED["copies"], "out_ptr": "unknown"}


def test_text_without_a_kernel_has_no_accesses() -> None:
    assert accesses("") == accesses("// nothing\nmodule {\n}\n") == accesses(".version 8.0\n") == {}


def test_bytes_count_what_is_changed_in_place_twice() -> None:
    found = {
        "x": Access(read=True),
        "out": Access(written=True),
        "sum": Access(read=True, written=True, atomic=True),
        "unused": Access(),
    }
    assert bytes_moved(found, {"x": 100, "out": 20, "sum": 3}) == 100 + 20 + 2 * 3
    assert bytes_moved(found, {"x": 100, "out": 20}) is None
    assert bytes_moved({**found, "y": Access(known=False)}, {"x": 100, "out": 20, "sum": 3, "y": 1}) is None
