"""What an unlaunched kernel is compiled for: real files through a real worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from irscope import session
from irscope.events import Specialized
from irscope.model import Compilation, Specialization, Target
from irscope.request import Request

HEADER = "import triton\nimport triton.language as tl\n\n\n"


def specialized(tmp_path: Path, text: str, **fields: object) -> Specialization:
    """The specialization irscope settles on for the file's first kernel; whether it compiles is not asked."""
    file = tmp_path / "kernels.py"
    file.write_text(HEADER + text, encoding="utf-8")
    found: list[Specialization] = []

    def note(event: object) -> None:
        if isinstance(event, Specialized):
            found.append(event.specialization)

    session.open(Request(file, target=Target.parse("sm_90"), fresh=True, **fields), note)  # type: ignore[arg-type]
    (specialization,) = found
    return specialization


def compiled(tmp_path: Path, text: str) -> Compilation:
    file = tmp_path / "kernels.py"
    file.write_text(HEADER + text, encoding="utf-8")
    return session.open(Request(file, target=Target.parse("sm_90"), capture="never"))


DOT = """
@triton.jit
def kernel(a_ptr, b_ptr, c_ptr, bias_ptr, M, stride_am, stride_ak, alpha, BLOCK_M: tl.constexpr):
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.arange(0, BLOCK_M)
    a = tl.load(a_ptr + rows[:, None] * stride_am + cols[None, :] * stride_ak, mask=rows[:, None] < M)
    b = tl.load(b_ptr + rows[:, None] * 64 + cols[None, :])
    acc = tl.dot(a, b) * alpha
    acc += tl.load(bias_ptr + cols)[None, :]
    tl.store(c_ptr + rows[:, None] * stride_am + cols[None, :], acc.to(c_ptr.dtype.element_ty))
"""


def test_pointers_that_reach_dot_are_half_precision(tmp_path: Path) -> None:
    found = specialized(tmp_path, DOT)
    assert found.signature == {
        "a_ptr": "*fp16",
        "b_ptr": "*fp16",
        "c_ptr": "*fp16",
        "bias_ptr": "*fp32",
        "M": "i32",
        "stride_am": "i32",
        "stride_ak": "constexpr",
        "alpha": "fp32",
        "BLOCK_M": "constexpr",
    }
    assert found.constexprs == {"stride_ak": 1, "BLOCK_M": 64}
    assert found.attributes["a_ptr"] == {"tt.divisibility": 16}
    assert found.attributes["M"] == {"tt.divisibility": 16}
    assert "alpha" not in found.attributes
    assert found.provenance["a_ptr"] == "inferred"
    assert found.provenance["BLOCK_M"] == "guessed"
    assert found.evidence["a_ptr"].startswith("reaches tl.dot in line 12")


HELPERS = """
@triton.jit
def load_row(base, row, width, BLOCK: tl.constexpr):
    offsets = row * width + tl.arange(0, BLOCK)
    return tl.load(base + offsets)


@triton.jit
def gather(table_ptr, which_ptr, counts_ptr, lock_ptr, out_ptr, width, eps, BLOCK: tl.constexpr):
    row = tl.load(which_ptr + tl.program_id(0))
    values = load_row(table_ptr, row, width, BLOCK)
    tl.atomic_add(counts_ptr + row, 1)
    tl.atomic_cas(lock_ptr, 0, 1)
    tl.store(out_ptr + tl.arange(0, BLOCK), tl.sqrt(values + eps))
"""


def test_uses_are_followed_into_helpers_and_through_addresses(tmp_path: Path) -> None:
    found = specialized(tmp_path, HELPERS)
    assert found.signature == {
        "table_ptr": "*fp32",
        "which_ptr": "*i32",  # its elements are part of an address
        "counts_ptr": "*i32",
        "lock_ptr": "*i32",
        "out_ptr": "*fp32",
        "width": "i32",
        "eps": "fp32",
        "BLOCK": "constexpr",
    }


DECORATED = """
@triton.autotune(configs=[triton.Config({"BLOCK": 128}, num_warps=2), triton.Config({"BLOCK": 256}, num_warps=8)],
                 key=["n"])
@triton.heuristics({"EVEN": lambda arguments: arguments["n"] % arguments["BLOCK"] == 0})
@triton.jit
def kernel(x_ptr, n, BLOCK: tl.constexpr, EVEN: tl.constexpr, SCALE: tl.constexpr = 2.0, other=None):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(x_ptr + offsets, SCALE, mask=offsets < n)
"""


def test_a_heuristic_is_asked_with_the_sizes_that_names_say(tmp_path: Path) -> None:
    text = """
import triton
import triton.language as tl


@triton.heuristics({"BLOCK_D": lambda arguments: triton.next_power_of_2(arguments["head_dim"])})
@triton.jit
def kernel(x_ptr, head_dim, BLOCK_D: tl.constexpr):
    d = tl.arange(0, BLOCK_D)
    tl.store(x_ptr + d, 0.0, mask=d < head_dim)
"""
    (tmp_path / "kernels.py").write_text(text, encoding="utf-8")
    request = Request(tmp_path / "kernels.py", target=Target.parse("sm_90"), capture="never")
    specialization = session.specialize(request).specialization
    assert specialization.constexprs["BLOCK_D"] == 64
    assert specialization.provenance["BLOCK_D"] == "heuristic"


def test_configurations_heuristics_and_defaults(tmp_path: Path) -> None:
    found = specialized(tmp_path, DECORATED)
    assert found.constexprs == {"BLOCK": 128, "EVEN": True, "SCALE": 2.0, "other": None}
    assert found.provenance | {} == {
        "x_ptr": "inferred", "n": "inferred", "BLOCK": "configuration", "EVEN": "heuristic",
        "SCALE": "default", "other": "default",
    }  # fmt: skip
    assert (found.configuration, found.options["num_warps"]) == (0, 2)


def test_another_configuration_and_what_is_given_win(tmp_path: Path) -> None:
    found = specialized(
        tmp_path, DECORATED, configuration=1, arguments={"x_ptr": "*bf16:16"}, constants={"SCALE": "3"},
        options={"num_warps": "4"},
    )  # fmt: skip
    assert found.constexprs["BLOCK"] == 256
    assert (found.constexprs["SCALE"], found.provenance["SCALE"]) == (3, "given")
    assert (found.signature["x_ptr"], found.provenance["x_ptr"]) == ("*bf16", "given")
    assert found.options["num_warps"] == 4


@pytest.mark.parametrize(
    ("signature", "types", "constexprs", "attributes"),
    [
        ("*fp32:16, i32:16, 64", ["*fp32", "i32", "constexpr"], {"BLOCK": 64}, {"x_ptr", "n"}),
        ("*fp16, i32:1, 32", ["*fp16", "constexpr", "constexpr"], {"n": 1, "BLOCK": 32}, set()),
        ("*bf16:16, i64, 128", ["*bf16", "i64", "constexpr"], {"BLOCK": 128}, {"x_ptr"}),
    ],
)
def test_signatures_in_tritons_ahead_of_time_syntax(
    tmp_path: Path, signature: str, types: list[str], constexprs: dict[str, int], attributes: set[str]
) -> None:
    text = (
        "@triton.jit\ndef kernel(x_ptr, n, BLOCK: tl.constexpr):\n"
        "    offsets = tl.arange(0, BLOCK)\n    tl.store(x_ptr + offsets, 0.0, mask=offsets < n)\n"
    )
    found = specialized(tmp_path, text, signature=signature)
    assert list(found.signature.values()) == types
    assert found.constexprs == constexprs
    assert set(found.attributes) == attributes
    assert set(found.provenance.values()) == {"given"}


def test_a_type_can_be_a_constant(tmp_path: Path) -> None:
    text = (
        "@triton.jit\ndef kernel(x_ptr, dtype: tl.constexpr):\n"
        "    tl.store(x_ptr + tl.arange(0, 16), tl.zeros((16,), dtype=dtype))\n"
    )
    assert specialized(tmp_path, text, constants={"dtype": "tl.float16"}).constexprs == {"dtype": "fp16"}


CALLED = """
@triton.jit
def kernel(x_ptr, ACTIVATION: tl.constexpr):
    at = x_ptr + tl.arange(0, 64)
    tl.store(at, ACTIVATION(tl.load(at), 1.0) + 1.0)
"""


def test_a_constexpr_that_is_called_is_a_function_that_gives_back_its_first_argument(tmp_path: Path) -> None:
    compilation = compiled(tmp_path, CALLED)
    assert compilation.failure is None
    assert compilation.specialization.constexprs["ACTIVATION"] == "unchanged"
    assert compilation.specialization.evidence["ACTIVATION"].startswith("called in line 9")


WORDS = """
@triton.jit
def kernel(x_ptr, KIND: tl.constexpr, OTHER: tl.constexpr, LOG_SIZE: tl.constexpr, UNROLL: tl.constexpr, n):
    if KIND.upper() == "WIDE":
        tl.store(x_ptr + (n >> LOG_SIZE), 1)
    elif OTHER.startswith("x"):
        tl.store(x_ptr, 2)
    for step in tl.range(0, n, loop_unroll_factor=UNROLL):
        tl.store(x_ptr + step, 3)
"""


def test_what_is_asked_for_what_text_has_is_text_and_bits_are_few(tmp_path: Path) -> None:
    compilation = compiled(tmp_path, WORDS)
    assert compilation.failure is None
    assert compilation.specialization.constexprs == {"KIND": "WIDE", "OTHER": "", "LOG_SIZE": 4, "UNROLL": 2}


HINTED = """
@triton.jit
def kernel(x_ptr, y_ptr, stride, n):
    at = tl.program_id(0) * stride + tl.arange(0, 64)
    x = tl.load(tl.multiple_of(x_ptr + at, (16,)))
    y = tl.max_contiguous(y_ptr, 16)
    tl.store(y + at, x, mask=at < tl.multiple_of(n, 16))
"""


def test_what_triton_is_told_of_an_address_leaves_it_one(tmp_path: Path) -> None:
    found = specialized(tmp_path, HINTED)
    assert found.signature == {"x_ptr": "*fp32", "y_ptr": "*fp32", "stride": "i32", "n": "i32"}


SHIFTED = """
@triton.jit
def kernel(x_ptr, out_ptr, TYPE: tl.constexpr):
    at = tl.arange(0, 64)
    tl.store(out_ptr + at, tl.load(x_ptr + at).to(TYPE) << at.to(TYPE))
"""


def test_a_type_whose_bits_are_shifted_is_an_integer(tmp_path: Path) -> None:
    compilation = compiled(tmp_path, SHIFTED)
    assert compilation.failure is None
    assert compilation.specialization.provenance["TYPE"] == "guessed"
    assert compilation.specialization.constexprs["TYPE"] == "int32"
    assert compilation.specialization.evidence["TYPE"].startswith("a type in line 9")


SLICED = """
@triton.jit
def kernel(x_ptr, BLOCK: tl.constexpr, SLICE_FACTOR: tl.constexpr):
    at = tl.arange(0, BLOCK // SLICE_FACTOR)
    tl.store(x_ptr + at, 0)
"""


def test_a_factor_that_divides_a_size_is_small(tmp_path: Path) -> None:
    assert specialized(tmp_path, SLICED).constexprs["SLICE_FACTOR"] == 2
