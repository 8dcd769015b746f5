"""Kinds and element types of parameters that nothing is said of, from how a kernel uses them."""

from __future__ import annotations

from pathlib import Path

import pytest

from irscope import session
from irscope.model import Specialization, Target
from irscope.request import Request

HEADER = "import triton\nimport triton.language as tl\n\n\n"


def inferred(tmp_path: Path, text: str, **fields: object) -> Specialization:
    file = tmp_path / "kernels.py"
    file.write_text(HEADER + text, encoding="utf-8")
    request = Request(file, target=Target.parse("sm_90"), fresh=True, capture="never", **fields)  # type: ignore[arg-type]
    return session.specialize(request).specialization


def compiles(tmp_path: Path) -> bool:
    request = Request(tmp_path / "kernels.py", target=Target.parse("sm_90"), fresh=True, capture="never")
    return session.open(request).failure is None


def kernel(parameters: str, *lines: str) -> str:
    return "\n    ".join((f"@triton.jit\ndef kernel({parameters}):", *lines)) + "\n"


TYPES = {
    "addresses in memory": (
        kernel("table, out", "x = tl.load(tl.load(table).to(tl.pointer_type(tl.float16)))", "tl.store(out, x)"),
        {"table": "*i64"},
    ),
    "bits of a float": (
        kernel("packed, out", "x = tl.load(packed).to(tl.float8e5, bitcast=True)", "tl.store(out, x.to(tl.float32))"),
        {"packed": "*i8", "out": "*fp32"},
    ),
    "what a descriptor stores that the kernel makes": (
        kernel(
            "x, y, n", "d = tl.make_tensor_descriptor(y, [n, 32], [32, 1], [16, 32])",
            "i = tl.arange(0, 16)[:, None] * 32 + tl.arange(0, 32)[None, :]",
            "d.store([0, 0], tl.load(x + i).to(tl.bfloat16))",
        ),
        {"y": "*bf16", "n": "i32"},
    ),
    "addresses that are cast to another pointer's type": (
        kernel("table, x_ptr", "y = tl.cast(tl.load(table), x_ptr.dtype)", "tl.store(y, tl.load(x_ptr))"),
        {"table": "*i64", "x_ptr": "*fp32"},
    ),
    "a descriptor of many matrices": (
        kernel(
            "desc, which, out, M: tl.constexpr, N: tl.constexpr",
            "x = desc.load([tl.load(which), tl.program_id(0) * M, tl.program_id(1) * N]).reshape(M, N)",
            "tl.store(out + tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :], x)",
        ),
        {"desc": "tensordesc<fp32[1, 64, 64]>", "which": "*i32"},
    ),
    "offsets of an address in memory": (
        kernel(
            "table, at, value", "bases = tl.load(table + tl.arange(0, 8))",
            "tl.store(bases.to(tl.pointer_type(tl.int32)) + at, value)",
        ),
        {"table": "*i64", "at": "i32"},
    ),
    "what is exchanged, as it is cast": (
        kernel("signal", "tl.atomic_cas(signal, tl.cast(0, tl.int64), tl.cast(1, tl.int64))"),
        {"signal": "*i64"},
    ),
    "what is exchanged": (
        kernel("lock", "tl.atomic_cas(lock, 0, 1)"),
        {"lock": "*i32"},
    ),
    "a number where a flag says that it is no tensor": (
        kernel(
            "x, starts, stride, IS_TENSOR: tl.constexpr", "at = tl.arange(0, 32)", "if IS_TENSOR:",
            "    at += tl.load(starts)", "else:", "    at += starts", "tl.store(x + at * stride, 0.0)",
        ),
        {"x": "*fp32", "starts": "i32", "stride": "i32"},
    ),
    "masks": (
        kernel("keep, x, out", "m = tl.load(keep)", "tl.store(out, tl.load(x, mask=m, other=0.0))"),
        {"keep": "*i1", "x": "*fp32"},
    ),
    "what is copied": (
        kernel("places, copy", "p = tl.load(places)", "tl.store(copy + p, p)"),
        {"places": "*i32", "copy": "*i32"},
    ),
    "four bits of a byte": (
        kernel("packed, out", "x = tl.load(packed)", "tl.store(out, (x >> 4).to(tl.float32))"),
        {"packed": "*u8", "out": "*fp32"},
    ),
    "bits at a place that is computed": (
        kernel("packed, at, out", "x = tl.load(packed)", "tl.store(out, ((x >> at) & 1).to(tl.float32))"),
        {"packed": "*i32", "at": "i32"},
    ),
    "one of two, which are of one type": (
        kernel(
            "which, some, x, out", "p = tl.program_id(0)",
            "at = tl.load(which + p) if tl.load(some) > 0 else p.to(tl.int64)", "tl.store(out, tl.load(x + at))",
        ),
        {"which": "*i64", "x": "*fp32"},
    ),
    "a product of integers": (
        kernel(
            "a, b, c", "i = tl.arange(0, 32)", "at = i[:, None] * 32 + i[None, :]",
            "acc = tl.zeros((32, 32), tl.int32)", "for k in range(4):",
            "    acc += tl.dot(tl.load(a + at), tl.load(b + at))", "tl.store(c + at, acc)",
        ),
        {"a": "*i8", "b": "*i8", "c": "*i32"},
    ),
    "cast to the type of what reaches a product": (
        kernel(
            "p, v, out", "i = tl.arange(0, 32)", "at = i[:, None] * 32 + i[None, :]", "y = tl.load(v + at)",
            "x = tl.exp(tl.load(p + at)).to(y.dtype)", "tl.store(out + at, tl.dot(x, y))",
        ),
        {"p": "*fp32", "v": "*fp16", "out": "*fp16"},
    ),
    "a pointer with scales": (
        kernel("x_ptr, x_scale_ptr, out_ptr", "tl.store(out_ptr, tl.load(x_ptr) * tl.load(x_scale_ptr))"),
        {"x_ptr": "*i8", "x_scale_ptr": "*fp32", "out_ptr": "*fp32"},
    ),
    "numbers that meet what is loaded": (
        kernel("x, out, shift", "tl.store(out, tl.load(x) + shift)"),
        {"x": "*fp32", "shift": "fp32"},
    ),
    "counts, whatever is divided by them": (
        kernel("x, out, n_kept", "tl.store(out, tl.load(x) / n_kept)"),
        {"n_kept": "i32"},
    ),
    "what is not used, between pointers": (
        kernel("x, y, out", "tl.store(out, tl.load(x))"),
        {"y": "*fp32"},
    ),
    "addresses and numbers that are moved on": (
        kernel("x, y, n, out", "x += tl.program_id(0) * 8", "y += 4", "n += 1",
               "tl.store(out, tl.load(x), mask=tl.program_id(0) < n)"),
        {"x": "*fp32", "y": "*fp32", "n": "i32", "out": "*fp32"},
    ),
    "what is computed with constants": (
        kernel("x, out, N: tl.constexpr", "i = tl.load(x + tl.load(out))", "tl.store(out, tl.load(out) * N)"),
        {"x": "*fp32", "out": "*i32"},
    ),
    "a number that is cast": (
        kernel("x, low, out", "i = ((tl.load(x) - low) * 2.0).to(tl.int32)", "tl.store(out + i, 1.0)"),
        {"low": "fp32", "x": "*fp32"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TYPES)
def test_types_from_use(tmp_path: Path, case: str) -> None:
    text, expected = TYPES[case]
    found = inferred(tmp_path, text)
    assert {name: found.signature[name] for name in expected} == expected
    assert compiles(tmp_path)


def test_each_answer_names_the_line_that_says_it(tmp_path: Path) -> None:
    text, _ = TYPES["a product of integers"]
    found = inferred(tmp_path, text)
    assert found.evidence["a"] == "'acc' keeps its type in line 10: for k in range(4):"
    text, _ = TYPES["numbers that meet what is loaded"]
    found = inferred(tmp_path, text)
    assert found.evidence["shift"] == "with its elements in line 7: tl.load(x) + shift"
    assert set(found.provenance.values()) == {"inferred"}


OPTIONAL = kernel(
    "x_ptr, bias_ptr, other, HAS_BIAS: tl.constexpr", "x = tl.load(x_ptr)", "if HAS_BIAS:",
    "    x += tl.load(bias_ptr)", "if other is not None:", "    x += tl.load(other)", "tl.store(x_ptr, x)",
)  # fmt: skip


def test_pointers_that_nothing_needs_are_none(tmp_path: Path) -> None:
    found = inferred(tmp_path, OPTIONAL)
    assert found.constexprs == {"bias_ptr": None, "other": None, "HAS_BIAS": False}
    assert found.evidence["bias_ptr"] == "None: what needs it is switched off, an address in line 9: tl.load(bias_ptr)"
    assert found.evidence["other"] == "not used where it is None: None is asked for in line 10: other is not None"
    assert compiles(tmp_path)


def test_they_are_pointers_where_the_flag_is_on(tmp_path: Path) -> None:
    found = inferred(tmp_path, OPTIONAL, constants={"HAS_BIAS": "True"})
    assert found.signature["bias_ptr"] == "*fp32"
    assert found.constexprs == {"other": None, "HAS_BIAS": True}


HEURISTIC = '@triton.heuristics({"HAS_BIAS": lambda given: given["bias"] is not None})\n' + kernel(
    "x, bias, HAS_BIAS: tl.constexpr", "y = tl.load(x)", "if HAS_BIAS:", "    y += tl.load(bias)", "tl.store(x, y)"
)


def test_heuristics_that_ask_for_none_are_told_none(tmp_path: Path) -> None:
    found = inferred(tmp_path, HEURISTIC)
    assert found.constexprs == {"bias": None, "HAS_BIAS": False}
    assert found.evidence["bias"] == "optional: its heuristic 'HAS_BIAS' asks for None"
    given = inferred(tmp_path, HEURISTIC, arguments={"bias": "*fp16"})
    assert given.constexprs == {"HAS_BIAS": True}


WRITTEN = '''
@triton.jit
def kernel(
    x_ptr,  # pointer to bfloat16
    where,
    unused,
    flag,
    rate,
    out,
):
    """Does something.

    where (tensor): int64 offsets
    unused: a pointer, fp16
    flag: bool, is not used
    rate: float
    """
    tl.store(out, tl.load(x_ptr + tl.load(where)))
'''


def test_what_is_written_of_parameters_counts(tmp_path: Path) -> None:
    found = inferred(tmp_path, WRITTEN)
    assert found.signature == {
        "x_ptr": "*bf16", "where": "*i64", "unused": "*fp16", "flag": "i1", "rate": "fp32", "out": "*bf16",
    }  # fmt: skip
    assert found.evidence["x_ptr"] == "its comment: x_ptr: pointer to bfloat16"
    assert found.evidence["unused"] == "its docstring: unused: a pointer, fp16"
    assert found.provenance["unused"] == "inferred"


DOCUMENTED = '''
@triton.jit
def kernel(x_ptr, GROUP: tl.constexpr, TILE: tl.constexpr, ACT: tl.constexpr, DEPTH: tl.constexpr,
           BIAS: tl.constexpr,  # True if there is a bias, default: true
           EVEN: tl.constexpr, WORD: tl.constexpr):
    """
    GROUP (int): 32 or 64.
    TILE: columns of a program, e.g. 256. It must be a power of 2
    ACT: either 'gelu' or 'relu'
    DEPTH: a multiple of 4, of 8 bits
    EVEN: True if no mask is needed
    WORD: default 4 bits
    """
    tile = tl.load(x_ptr + tl.arange(0, GROUP)[:, None] * TILE + tl.arange(0, TILE)[None, :])
    if BIAS:
        tile += DEPTH + WORD
    if EVEN:
        tile *= 2
    if ACT == "relu":
        tile = tl.maximum(tile, 0)
    tl.store(x_ptr + tl.arange(0, GROUP)[:, None] * TILE + tl.arange(0, TILE)[None, :], tile)
'''


def test_values_that_are_written_of_constants_count(tmp_path: Path) -> None:
    found = inferred(tmp_path, DOCUMENTED)
    assert {name: found.constexprs[name] for name in ("GROUP", "TILE", "ACT", "BIAS")} == {
        "GROUP": 32, "TILE": 256, "ACT": "gelu", "BIAS": True,
    }  # fmt: skip
    assert found.evidence["GROUP"] == "its docstring: GROUP: int 32 or 64."
    assert "its comment" in found.evidence["BIAS"]
    for name in ("DEPTH", "EVEN", "WORD"):
        assert "docstring" not in found.evidence[name]


MODES = kernel(
    "x, MODE: tl.constexpr, LEVEL: tl.constexpr, STEPS: tl.constexpr, EPS: tl.constexpr",
    "y = tl.load(x)", 'if MODE == "twice":', "    y *= 2", "if LEVEL == 3:", "    y += 1",
    "for _ in tl.static_range(STEPS):", "    y = tl.sqrt(y + EPS)", "tl.store(x, y)",
)  # fmt: skip


def test_constants_are_what_they_are_compared_with_or_few_or_small(tmp_path: Path) -> None:
    found = inferred(tmp_path, MODES)
    assert found.constexprs == {"MODE": "twice", "LEVEL": 3, "STEPS": 2, "EPS": 1e-06}
    assert found.evidence["MODE"] == "compared in line 8: MODE == 'twice'"
    assert found.evidence["STEPS"] == "unrolled in line 12: tl.static_range(STEPS)"


def test_a_reading_is_bounded(tmp_path: Path) -> None:
    # Each helper calls the one before it many times, with other arguments each time.
    helpers = ["@triton.jit\ndef helper_0(x):\n    return x + 1.0\n"]
    for number in range(1, 9):
        calls = "".join(f"    x += helper_{number - 1}(x * {k}.5)\n" for k in range(8))
        helpers.append(f"@triton.jit\ndef helper_{number}(x):\n{calls}    return x\n")
    text = "\n\n".join([*helpers, kernel("p", "tl.store(p, helper_8(tl.load(p)))")])
    assert inferred(tmp_path, text).signature == {"p": "*fp32"}


def test_words_that_an_operation_takes(tmp_path: Path) -> None:
    lines = (
        "x = tl.load(x_ptr, eviction_policy=policy, cache_modifier=modifier)",
        "tl.atomic_add(x_ptr, x, sem=order)",
    )
    parameters = "x_ptr, policy: tl.constexpr, modifier: tl.constexpr, order: tl.constexpr"
    found = inferred(tmp_path, kernel(parameters, *lines))
    assert found.constexprs == {"policy": "", "modifier": "", "order": "relaxed"}
    assert found.evidence["policy"].startswith("its eviction_policy in line 7")
    assert compiles(tmp_path)


def test_addresses_that_are_chosen_among(tmp_path: Path) -> None:
    lines = (
        "base = tl.where(n > 3, a, tl.where(n > 2, b, c))",
        "if n > 1:",
        "    out = d",
        "else:",
        "    out = e",
        "tl.store(out + n, tl.load(base + n))",
    )
    found = inferred(tmp_path, kernel("a, b, c, d, e, n", *lines))
    assert found.signature == {**dict.fromkeys("abcde", "*fp32"), "n": "i32"}
    assert compiles(tmp_path)


def test_numbers_that_are_chosen_among_are_no_addresses(tmp_path: Path) -> None:
    found = inferred(
        tmp_path, kernel("a, m, n", "step = tl.where(m > n, m, n)", "tl.store(a + step, tl.load(a) + 1.0)")
    )
    assert found.signature == {"a": "*fp32", "m": "i32", "n": "i32"}


AGGREGATE = """
from triton.language.core import _aggregate as aggregate
from triton.runtime.jit import constexpr_function


@aggregate
class Tile:
    base: tl.tensor
    size: tl.tensor
    scale: tl.tensor
    WIDTH: tl.constexpr

    @constexpr_function
    def __init__(self, base, size, scale, WIDTH):
        self.base = base
        self.size = size
        self.scale = scale
        self.WIDTH = tl.constexpr(WIDTH)

    @staticmethod
    @triton.jit
    def create(x, size, scale, WIDTH: tl.constexpr):
        return Tile(x + tl.program_id(0) * WIDTH, size, scale, WIDTH)

    @triton.jit
    def load(self, lengths):
        at = tl.arange(0, self.WIDTH)
        end = tl.minimum(self.size, tl.load(lengths))
        return tl.load(self.base + at, mask=at < end, other=0.0)


@triton.jit
def kernel(x, out, some, number, other, WIDTH: tl.constexpr):
    tile = Tile.create(x, number, other, WIDTH)
    value = tl.exp(tile.load(some) * tile.scale)
    tl.store(out + tl.arange(0, tile.WIDTH), value)
"""


def test_values_are_followed_through_the_fields_of_objects(tmp_path: Path) -> None:
    found = inferred(tmp_path, AGGREGATE)
    expected = {"x": "*fp32", "out": "*fp32", "some": "*i32", "number": "i32", "other": "fp32"}
    assert {name: found.signature[name] for name in expected} == expected
    assert compiles(tmp_path)


def test_the_outer_strides_of_a_descriptor_are_not_one(tmp_path: Path) -> None:
    lines = (
        "desc = tl.make_tensor_descriptor(x, [m, 64], [stride_xm, 1], [16, 64])",
        "to = tl.arange(0, 16)[:, None] * stride_on + tl.arange(0, 64)[None, :] * stride_om",
        "tl.store(out + to, desc.load([0, 0]))",
    )
    found = inferred(tmp_path, kernel("x, out, m, stride_xb, stride_xm, stride_on, stride_om", *lines))
    assert found.signature["stride_xm"] == "i32"
    assert found.constexprs == {"stride_om": 1}
    assert compiles(tmp_path)


def test_a_flag_that_the_kernel_sets_itself_decides_nothing(tmp_path: Path) -> None:
    """Triton compiles both ways of a test of it, so that what either needs must be there."""
    lines = (
        "chosen = False",
        "base = a",
        "if FIRST:",
        "    chosen = tl.program_id(0) == 0",
        "if chosen:",
        "    base = b",
        "tl.store(out, tl.load(base))",
    )
    found = inferred(tmp_path, kernel("a, b, out, FIRST: tl.constexpr", *lines))
    assert (found.signature["a"], found.signature["b"]) == ("*fp32", "*fp32")
    assert compiles(tmp_path)


def test_a_size_that_a_heuristic_works_out_is_not_zero(tmp_path: Path) -> None:
    decorated = '@triton.heuristics({"EACH": lambda args: 16 // args["ROWS"]})\n'
    lines = (
        "x = tl.load(a + tl.arange(0, ROWS))[:, None]",
        "to = tl.arange(0, ROWS)[:, None] * EACH + tl.arange(0, EACH)[None, :]",
        "tl.store(out + to, tl.broadcast_to(x, (ROWS, EACH)))",
    )
    found = inferred(tmp_path, decorated + kernel("a, out, ROWS: tl.constexpr, EACH: tl.constexpr", *lines))
    rows, each = found.constexprs["ROWS"], found.constexprs["EACH"]
    assert isinstance(rows, int) and rows * each == 16
    assert compiles(tmp_path)


def test_bits_of_a_number_are_few(tmp_path: Path) -> None:
    lines = ("x = tl.load(a).to(tl.int32)", "tl.store(out, (x - (1 << (bits - 1))).to(tl.float32))")
    found = inferred(tmp_path, kernel("a, out, bits: tl.constexpr", *lines))
    assert found.constexprs["bits"] == 4
    assert compiles(tmp_path)
