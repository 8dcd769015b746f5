"""What a kernel's host code tells of its parameters; the host code is read and never run."""

from __future__ import annotations

from pathlib import Path

import pytest

from irscope import session
from irscope.model import Compilation, Target
from irscope.request import Request

HEADER = """\
import torch
import triton
import triton.language as tl


@triton.jit
def kernel(x, out, extra, n, HAS_EXTRA: tl.constexpr):
    at = tl.arange(0, 64)
    value = tl.load(x + at, mask=at < n, other=0.0)
    if HAS_EXTRA:
        value += tl.load(extra + at, mask=at < n, other=0.0)
    tl.store(out + at, value.to(out.dtype.element_ty), mask=at < n)


raise RuntimeError("host code was run")


"""


def opened(folder: Path, text: str, **others: str) -> Compilation:
    for name, content in others.items():
        (folder / f"{name}.py").write_text(content, encoding="utf-8")
    file = folder / "kernels.py"
    file.write_text(HEADER + text, encoding="utf-8")
    compilation = session.open(Request(file, target=Target.parse("sm_90"), fresh=True, capture="never"))
    assert compilation.failure is None, compilation.failure
    return compilation


def types(folder: Path, text: str, **others: str) -> dict[str, str]:
    return dict(opened(folder, text, **others).specialization.signature)


HOSTS = {
    "a type that an allocation asks for": (
        """
def launch(x: torch.Tensor):
    out = torch.empty_like(x, dtype=torch.bfloat16)
    kernel[(1,)](x, out, None, x.numel(), HAS_EXTRA=False)
""",
        {"out": "*bf16"},
    ),
    "the type of another tensor, which is asserted": (
        """
def launch(x):
    assert x.dtype in (torch.float16, torch.bfloat16)
    x = x.contiguous()
    out = x.new_empty(x.shape)
    kernel[(1,)](x, out, None, n=x.numel(), HAS_EXTRA=False)
""",
        {"x": "*fp16", "out": "*fp16"},
    ),
    "a method that casts": (
        """
def launch(x):
    kernel[(1,)](x.half(), x.to(torch.bfloat16).view(-1), None, x.numel(), HAS_EXTRA=False)
""",
        {"x": "*fp16", "out": "*bf16"},
    ),
    "the default of a parameter that is a type": (
        """
def launch(x, dtype: torch.dtype = torch.float16):
    kernel[(1,)](x, torch.zeros(64, dtype=dtype), None, 64, HAS_EXTRA=False)
""",
        {"out": "*fp16"},
    ),
    "what the function's callers give": (
        """
def launch(x, out):
    kernel[(1,)](x, out, None, x.numel(), HAS_EXTRA=False)


def call(x):
    out = torch.empty(x.shape, dtype=torch.float16, device=x.device)
    launch(x, out)
    return out
""",
        {"out": "*fp16"},
    ),
    "what a function returns, as its caller asks": (
        """
def made(x, single=False):
    return x.new_empty(x.shape, dtype=torch.float32 if single else torch.float16), None


def launch(x):
    out, _ = made(x, single=True)
    half, _ = made(x)
    kernel[(1,)](half, out, None, x.numel(), HAS_EXTRA=False)
""",
        {"x": "*fp16", "out": "*fp32"},
    ),
    "what an autograd function saves": (
        """
class Function(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        kept = torch.empty(x.shape, dtype=torch.bfloat16)
        ctx.save_for_backward(x, kept)
        return kept

    @staticmethod
    def backward(ctx, dout):
        x, kept = ctx.saved_tensors
        kernel[(1,)](kept, torch.empty_like(kept), None, 64, HAS_EXTRA=False)
""",
        {"x": "*bf16", "out": "*bf16"},
    ),
    "the way that a flag's default takes": (
        """
def launch(x, half=False):
    out = torch.empty(64, dtype=torch.bfloat16)
    if half:
        out = torch.empty(64, dtype=torch.float16)
    kernel[(1,)](x, out, None, 64, HAS_EXTRA=False)
""",
        {"out": "*bf16"},
    ),
    "a type that the module has a name for": (
        """
OUT_DTYPE = torch.float8_e5m2


def launch(x):
    kernel[(1,)](x.to(torch.float16), x.to(OUT_DTYPE), None, 64, HAS_EXTRA=False)
""",
        {"x": "*fp16", "out": "*fp8e5"},
    ),
    "a call that the function does not take": (
        """
def launch(x, out):
    kernel[(1,)](x, out, None, x.numel(), HAS_EXTRA=False)


def old_test():
    launch(torch.zeros(64, dtype=torch.int32), None, torch.zeros(64))
""",
        {"x": "*fp32"},
    ),
    "a kernel that a table has": (
        """
KERNELS = {"plain": kernel}


def launch(x, name):
    chosen = KERNELS[name]
    chosen[(1,)](x, torch.empty(64, dtype=torch.float16), None, 64, HAS_EXTRA=False)
""",
        {"out": "*fp16"},
    ),
}


@pytest.mark.parametrize("what", HOSTS)
def test_host_code_tells_element_types(tmp_path: Path, what: str) -> None:
    text, expected = HOSTS[what]
    found = types(tmp_path, text)
    assert {name: found[name] for name in expected} == expected


def test_an_optional_tensor_that_is_given_turns_its_flag_on(tmp_path: Path) -> None:
    text = """
def launch(x, extra):
    kernel[(1,)](x, torch.empty_like(x), extra, x.numel(), HAS_EXTRA=extra is not None)


def call(x):
    launch(x, torch.ones(64, dtype=torch.float16))
"""
    compilation = opened(tmp_path, text)
    specialization = compilation.specialization
    assert specialization.constexprs["HAS_EXTRA"] is True
    assert specialization.signature["extra"] == "*fp16"
    assert specialization.provenance["HAS_EXTRA"] == "inferred"
    assert specialization.evidence["HAS_EXTRA"] is not None and "line" in specialization.evidence["HAS_EXTRA"]


def test_a_tensor_that_may_be_missing_stays_none(tmp_path: Path) -> None:
    text = """
def launch(x, extra=None):
    kernel[(1,)](x, torch.empty_like(x), extra, x.numel(), HAS_EXTRA=extra is not None)
"""
    specialization = opened(tmp_path, text).specialization
    assert specialization.constexprs["HAS_EXTRA"] is False
    assert specialization.constexprs["extra"] is None


def test_a_count_that_is_read_from_a_tensor_is_an_integer(tmp_path: Path) -> None:
    text = """
@triton.jit
def mean(x, out, count):
    at = tl.arange(0, 64)
    tl.store(out + at, tl.load(x + at) / count)


def launch(x, keep):
    mean[(1,)](x, torch.empty_like(x), (keep != 0).sum().item())
"""
    file = tmp_path / "kernels.py"
    file.write_text(HEADER + text, encoding="utf-8")
    compilation = session.open(Request(file, "mean", Target.parse("sm_90"), fresh=True, capture="never"))
    assert compilation.failure is None
    assert compilation.specialization.signature["count"] == "i32"


def test_files_beside_the_kernels_own_in_its_package_are_read(tmp_path: Path) -> None:
    """Who launches the kernel, who calls the function that does, and what makes the tensors may be elsewhere."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    making = "import torch\n\n\ndef made(x):\n    return x.new_zeros(64, dtype=torch.bfloat16)\n"
    calling = """
import torch

from .kernels import launch
from .making import made


def call(x):
    launch(made(x), torch.empty(64, dtype=torch.float16))
"""
    text = "\ndef launch(x, out):\n    kernel[(1,)](x, out, None, 64, HAS_EXTRA=False)\n"
    found = types(package, text, making=making, calling=calling)
    assert (found["x"], found["out"]) == ("*bf16", "*fp16")


def test_what_is_given_is_stronger_than_host_code(tmp_path: Path) -> None:
    text = "\ndef launch(x):\n    kernel[(1,)](x, torch.empty_like(x), None, 64, HAS_EXTRA=False)\n"
    opened(tmp_path, text)
    request = Request(
        tmp_path / "kernels.py", target=Target.parse("sm_90"), fresh=True, capture="never", arguments={"x": "*bf16"}
    )
    assert session.specialize(request).specialization.signature["out"] == "*bf16"


def test_a_host_that_cannot_be_parsed_tells_nothing(tmp_path: Path) -> None:
    """A text at the left margin that looks like code is no function."""
    text = '\nTEXT = """\ndef launch(x):\n    kernel[(1,)](x\n"""\n'
    assert types(tmp_path, text)["out"] == "*fp32"


STRIDED = """
@triton.jit
def rows(x, out, stride_xb, stride_xm, stride_ob, stride_on):
    at = tl.program_id(0) * stride_xb + tl.program_id(1) * stride_xm + tl.arange(0, 256)
    to = tl.program_id(0) * stride_ob + tl.arange(0, 256) * stride_on
    tl.store(out + to, tl.load(x + at))
"""


def test_the_last_stride_is_one_only_where_the_address_needs_one(tmp_path: Path) -> None:
    """`x` is read along consecutive elements, so both of its strides step over some, and the loads are wide."""
    file = tmp_path / "kernels.py"
    file.write_text(HEADER + STRIDED, encoding="utf-8")
    compilation = session.open(Request(file, "rows", Target.parse("sm_90"), fresh=True, capture="never"))
    assert compilation.failure is None
    assert compilation.specialization.signature["stride_xm"] == "i32"
    assert compilation.specialization.constexprs == {"stride_on": 1}
    ptx = compilation.stages["ptx"].text
    assert "ld.global.v2" in ptx or "ld.global.v4" in ptx


def test_the_stride_of_the_last_dimension_is_one(tmp_path: Path) -> None:
    text = """
@triton.jit
def column(x, out, step, hop, n):
    at = tl.arange(0, 64)
    tl.store(out + at * hop, tl.load(x + at * step, mask=at < n))


def launch(x):
    out = torch.empty((2, 64), dtype=torch.float32)
    column[(1,)](x, out, x.stride(-1), out.stride(0), x.stride(0))
    column[(1,)](x, out, x.stride(-1), out.stride(1), x.stride(0))
"""
    file = tmp_path / "kernels.py"
    file.write_text(HEADER + text, encoding="utf-8")
    compilation = session.open(Request(file, "column", Target.parse("sm_90"), fresh=True, capture="never"))
    assert compilation.failure is None
    assert compilation.specialization.constexprs == {"step": 1}
