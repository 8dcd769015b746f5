"""Kernels that ``torch.compile`` writes: captured as it launches them, and out of the files of its cache."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from irscope import captures, discover, session
from irscope.model import Target
from irscope.request import IrscopeError, Request
from tests.samples import KERNELS

HOPPER = Target.parse("sm_90")
SCRIPT = KERNELS / "capture" / "scripts" / "compiled_functions.py"
FAILS = KERNELS / "capture" / "compile_fails.py"

FILE = """\
import triton
import triton.language as tl
from torch._inductor.runtime import triton_heuristics
from torch._inductor.runtime.hints import DeviceProperties

@triton_heuristics.pointwise(
    size_hints={{'x': 4096}},
    filename=__file__,
    triton_meta={{'signature': {signature}, 'device': DeviceProperties(type='cuda', index=0, cc=90), 'constants': {constants}, 'configs': [{configs}]}},
    inductor_meta={{'grid_type': 'Grid1D', 'kernel_name': 'triton_poi_fused_mul_0'}},
)
@triton.jit
def triton_poi_fused_mul_0(in_ptr0, out_ptr0, ks0, xnumel, XBLOCK : tl.constexpr):
    xindex = tl.program_id(0) * XBLOCK + tl.arange(0, XBLOCK)[:]
    xmask = xindex < xnumel
    tl.store(out_ptr0 + xindex, tl.load(in_ptr0 + xindex * ks0, xmask).to(tl.float32) * 2.0, xmask)
"""  # noqa: E501
NAMED = "{'in_ptr0': '*bf16', 'out_ptr0': '*fp32', 'ks0': 'constexpr', 'xnumel': 'i32', 'XBLOCK': 'constexpr'}"
NUMBERED = "{0: '*bf16', 1: '*fp32', 2: 'i32', 3: 'i32'}"
VERSIONS = {
    "2.7": (NAMED, "{'ks0': 1}", "{(0,): [['tt.divisibility', 16]], (3,): [['tt.divisibility', 16]]}"),
    "2.6": (NAMED, "{'ks0': 1}", "AttrsDescriptor.from_dict({'arg_properties': {'tt.divisibility': (0, 3)}})"),
    "2.5": (NUMBERED, "{2: 1}", "AttrsDescriptor(divisible_by_16=(0, 3), equal_to_1=(2,))"),
}


def test_launches_of_compiled_functions_are_captured_with_no_gpu(own_directories: None) -> None:
    pytest.importorskip("torch")
    found = captures.run(SCRIPT, HOPPER, timeout=240.0, script_arguments=())
    assert found.ended is None, (found.ended, found.log)
    of_function, of_module = found.launches
    assert of_function.aot_signature == "*fp32:16, *fp32:16, *fp32:16, i32:16, 1024"
    assert of_function.grid == (256 * 512 // 1024, 1, 1)
    assert [launch.sites[0].function for launch in found.launches] == ["gelu_like", "forward"]
    assert all(Path(launch.sites[0].file) == SCRIPT for launch in found.launches)
    assert "layer_norm" in of_module.kernel and of_module.options["num_warps"] > 0
    compiled = session.open(Request(Path(of_function.file), of_function.kernel, HOPPER))
    assert compiled.failure is None and compiled.stages["cubin"].data
    assert set(compiled.specialization.provenance.values()) == {"captured"}


@pytest.mark.sweep
def test_operators_and_kernels_of_the_user_are_compiled_with_their_gradients(own_directories: None) -> None:
    pytest.importorskip("torch")
    found = captures.run(SCRIPT.with_name("compiled_ops.py"), HOPPER, timeout=240.0, script_arguments=())
    assert found.ended is None and not found.warnings, (found.ended, found.warnings, found.log)
    # A kernel that Inductor has copied is the user's own all the same.
    own = [launch for launch in found.launches if Path(launch.file).name == "compiled_ops.py"]
    assert [(launch.kernel, [site.function for site in launch.sites]) for launch in own] == [
        ("square_kernel", ["square"]), ("twice_kernel", ["twice"]), ("square_kernel", ["energy"]),
        ("twice_kernel", ["doubled"]),
    ]  # fmt: skip
    assert own[2].grid == (12, 1, 1) and own[3].aot_signature == "*fp32:16, *fp32:16, *fp32:16, i32, 512"
    # A tensor without dimensions would lie on a GPU: no number is made of it.
    backward = next(launch for launch in found.launches if "backward_twice" in launch.kernel)
    assert backward.aot_signature.startswith("*i1:16, *fp32:16, *fp32:16, i32")


def test_what_cannot_be_compiled_is_called_as_it_is_and_told(own_directories: None) -> None:
    pytest.importorskip("torch")
    found = captures.run(FAILS, HOPPER, timeout=240.0, script_arguments=())
    assert found.ended is None, (found.ended, found.log)
    (launch,) = found.launches
    assert (launch.kernel, launch.count) == ("scale_kernel", 3)
    words = "was called as it is, torch.compile having failed without a GPU"
    assert found.warnings == (
        f"never_compiled {words}: NotImplementedError: this backend takes nothing",
        f"not_backward {words}: Unsupported: this backward needs a GPU",
    )


@pytest.fixture(params=VERSIONS)
def cached(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    signature, constants, configs = VERSIONS[request.param]
    file = tmp_path / "cabc.py"
    file.write_text(FILE.format(signature=signature, constants=constants, configs=configs), encoding="utf-8")
    return file


def specialization(file: Path) -> Any:
    found = session.open(Request(file, None, HOPPER))
    assert found.failure is None, found.failure
    return found.specialization


def test_a_file_of_its_cache_says_what_it_was_compiled_for(cached: Path) -> None:
    found = specialization(cached)
    assert [found.signature[name] for name in ("in_ptr0", "out_ptr0", "xnumel")] == ["*bf16", "*fp32", "i32"]
    assert found.constexprs["ks0"] == 1
    assert {name for name, attributes in found.attributes.items() if attributes} == {"in_ptr0", "xnumel"}
    assert found.evidence["in_ptr0"] == "Inductor's triton_meta, line 9"
    assert {name: word for name, word in found.provenance.items() if word != "captured"} == {"XBLOCK": "guessed"}
    (known,) = discover.listed(cached)
    assert str(known.prospect) == "Inductor's triton_meta: captured, the rest inferred"


def test_the_configuration_that_it_found_to_be_the_best_is_beside_the_file(cached: Path) -> None:
    best = '{"XBLOCK": 512, "num_warps": 8, "num_stages": 1, "found_by_coordesc": false}'
    cached.with_suffix(".best_config").write_text(best, encoding="utf-8")
    found = specialization(cached)
    assert found.constexprs["XBLOCK"] == 512 and found.provenance["XBLOCK"] == "captured"
    assert (found.options["num_warps"], found.options["num_stages"]) == (8, 1)


def test_the_code_that_calls_its_kernels_leads_to_them(tmp_path: Path) -> None:
    file = tmp_path / "ab" / "cab.py"
    file.parent.mkdir()
    text = "from torch._inductor.async_compile import AsyncCompile\nasync_compile = AsyncCompile()\n"
    text += "kernel = async_compile.triton('kernel', '''@triton.jit''')\n"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(IrscopeError) as raised:
        session.open(Request(file, None, HOPPER))
    failure = raised.value.failure
    assert failure.kind == "no_kernel"
    assert failure.hint is not None and shlex.split(failure.hint)[-1] == str(tmp_path)
