"""What this Triton or this target lacks, as Triton and its tools say it of real kernels."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from samples import SAMPLES
from test_versions import python_with

from irscope import session
from irscope.model import Failure, Target
from irscope.request import Request
from irscope.worker import reasons

KERNELS = Path(__file__).parents[1] / "kernels"
FACTS = Path(reasons.__file__).with_name("gone.json")


def failing(kernel: str, target: str = "sm_90", **fields: object) -> Failure:
    request = Request(KERNELS / "lacking.py", kernel, Target.parse(target), **fields)  # type: ignore[arg-type]
    failure = session.open(request).failure
    assert failure is not None
    return failure


@pytest.mark.parametrize(
    ("kernel", "line", "words", "hint"),
    [
        ("block_pointer", 10, "no longer has tl.make_block_ptr: the last with it was 3.8", "tl.make_tensor_descriptor"),
        ("boundary", 16, "no longer has the argument boundary_check of tl.load", "Triton 3.8: --python PATH"),
        ("transposed", 22, "no longer has the argument trans_b of tl.dot", "tl.trans"),
        ("tanh", 27, "no longer has tl.math.tanh: the last with it was 2.3", "triton.language.extra.libdevice"),
        ("descriptor_load", 32, "no longer has tl._experimental_descriptor_load", "Triton 3.3: --python PATH"),
        ("pointer_by_number", 68, "no longer takes a number for the address space", "tl.pointer_type(tl.uint16)"),
        ("plain_global", 76, "no longer lets a kernel read a global variable that is no", "SIZE = tl.constexpr("),
        ("never_there", 37, "has no tl.no_such_function", "no release from 2.0 to "),
    ],
)
def test_a_name_that_this_triton_lacks_is_an_error_of_its_own(kernel: str, line: int, words: str, hint: str) -> None:
    failure = failing(kernel)
    assert (failure.kind, failure.line) == ("api", line)
    assert failure.message.startswith("this Triton (")
    assert words in failure.message
    assert hint in str(failure.hint)


def test_parameters_of_tritons_first_version_are_told(tmp_path: Path) -> None:
    file = tmp_path / "kernels.py"
    file.write_text(
        "import triton\nimport triton.language as tl\n\n\n@triton.jit\ndef kernel(x_ptr, **meta):\n"
        "    tl.store(x_ptr + tl.arange(0, meta['BLOCK']), 0)\n",
        encoding="utf-8",
    )
    failure = session.open(Request(file, target=Target.parse("sm_90"))).failure
    assert failure is not None
    assert (failure.kind, failure.line) == ("api", 5)
    assert "no longer has **meta parameters" in failure.message
    assert "tl.constexpr" in str(failure.hint)


@pytest.mark.parametrize(
    ("kernel", "target", "words", "hint"),
    [
        ("eight_bits", "sm_75", "fp8e4nv needs sm_89 or newer, not sm_75", "--target sm_90"),
        ("dependent", "sm_75", "needs sm_90 or newer, not sm_75", "--target sm_90"),
        ("dependent", "gfx942", "tt.grid_dependency_wait is NVIDIA's alone, not for gfx942", "--target sm_90"),
        ("cuda_only", "gfx942", "__nv_tanhf is NVIDIA's alone, not for gfx942", "triton.language.extra.libdevice"),
        ("amd_only", "sm_90", "triton.language.extra.hip.utils is for AMD, not for sm_90", "--target gfx942"),
    ],
)
def test_a_feature_that_the_target_lacks_is_an_error_of_its_own(
    kernel: str, target: str, words: str, hint: str
) -> None:
    failure = failing(kernel, target)
    assert failure.kind == "target"
    assert words in failure.message
    assert hint in str(failure.hint)


def test_more_blocks_of_a_cluster_than_the_target_has_is_no_wrong_command_line() -> None:
    request = Request(SAMPLES / "vector_add.py", target=Target.parse("sm_80"), options={"num_ctas": "2"})
    failure = session.open(request).failure
    assert failure is not None
    assert failure.kind == "target"
    assert failure.message == "num_ctas above 1 needs sm_90 or newer, not sm_80"


def test_a_name_that_nobody_defines_is_the_files_own_fault() -> None:
    failure = failing("undefined")
    assert failure.kind == "compile"
    assert failure.message == "NameError: no_such_name is not defined"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("import triton.ops", "no longer has triton.ops: the last with it was 3.1"),
        ("from triton.language.math import fast_expf", "no longer has tl.math.fast_expf"),
        ("tl.libdevice", "no longer has tl.libdevice: the last with it was 2.0"),
        ("triton.Config({}, num_consumer_groups=2)", "no longer has the argument num_consumer_groups of triton.Config"),
    ],
)
def test_what_a_file_asks_of_triton_at_import(tmp_path: Path, line: str, words: str) -> None:
    failure = reasons.explained({"kind": "file", "message": imported(line, tmp_path)}, "3.9.0")
    assert failure["kind"] == "api"
    assert words in failure["message"]


def imported(line: str, folder: Path) -> str:
    """The last line of what Python says of a file with this line."""
    file = folder / "imported.py"
    file.write_text(f"import triton\nimport triton.language as tl\n{line}\n", encoding="utf-8")
    done = subprocess.run([sys.executable, str(file)], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 1
    return done.stderr.strip().splitlines()[-1]


def test_a_name_that_comes_later_says_with_which_version() -> None:
    failure = {"kind": "compile", "message": "module 'triton.language' has no attribute 'topk'"}
    told = reasons.explained(failure, "3.3.1")
    assert told["message"] == "this Triton (3.3.1) does not have tl.topk yet: it came with 3.4"
    assert "Triton 3.4 or newer: --python PATH" in told["hint"]


def test_a_name_that_this_triton_has_is_not_blamed() -> None:
    failure = {"kind": "compile", "message": "module 'triton.language' has no attribute 'topk'"}
    assert reasons.explained(failure, "3.9.0") == failure


#: Prints which of the names it is given a Triton has.
HAS = """
import importlib, json, sys
def has(dotted):
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for name in parts[length:]:
            if not hasattr(value, name):
                return False
            value = getattr(value, name)
        return True
    return False
print(json.dumps({name: has(name) for name in json.load(sys.stdin)}))
"""


@pytest.mark.versions
def test_the_versions_of_names_are_those_of_the_tritons_that_there_are(triton: str) -> None:
    facts = json.loads(FACTS.read_text(encoding="utf-8"))
    spans = {**facts["gone"], **{name: [first, "99"] for name, first in facts["new"].items()}}
    # The first is there in 3.9, and raises; the other one needs torch.
    del spans["triton.language.make_block_ptr"], spans["triton.tools.experimental_descriptor"]
    done = subprocess.run(
        [str(python_with(triton)), "-c", HAS], input=json.dumps(list(spans)), capture_output=True, encoding="utf-8",
        check=True,
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    have = reasons.number(".".join(triton.split(".")[:2]))
    wrong = {
        name: found[name]
        for name, (first, last) in spans.items()
        if found[name] != (reasons.number(first) <= have <= reasons.number(last))
    }
    assert wrong == {}
