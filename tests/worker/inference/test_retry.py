"""Wrong guesses, and what the compiler's messages make of them: real kernels, each compiled until it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget

from irscope import session
from irscope.events import Specialized
from irscope.model import Target
from irscope.request import Request
from irscope.worker import versions
from irscope.worker.inference.infer import Answer, Parameter
from irscope.worker.inference.retry import MOST, Retries, rules
from irscope.worker.inference.retry_answers import ANSWERS
from irscope.worker.loading import LoadedKernel


@triton.jit
def square(x_ptr, SIZE: tl.constexpr):
    a = tl.full((SIZE, SIZE), 1.0, tl.float16)
    tl.store(x_ptr, tl.sum(tl.sum(tl.dot(a, a), 0), 0))


@triton.jit
def filled(x_ptr, SIZE: tl.constexpr):
    tl.store(x_ptr + tl.arange(0, SIZE), 0)


@triton.jit
def two_sizes(x_ptr, A: tl.constexpr, B: tl.constexpr):
    tl.store(x_ptr + tl.arange(0, A), tl.arange(0, A) + tl.arange(0, B))


@triton.jit
def reshaped(x_ptr, A: tl.constexpr, B: tl.constexpr):
    tl.store(x_ptr + tl.arange(0, A), tl.reshape(tl.arange(0, B)[:, None] + tl.arange(0, 2)[None, :], (A,)))


@triton.jit
def branches(x_ptr, n, A: tl.constexpr, B: tl.constexpr):
    if n > 1:  # noqa: SIM108
        y = tl.zeros((A,), tl.float32)
    else:
        y = tl.zeros((B,), tl.float32)
    tl.store(x_ptr + tl.arange(0, A), y)


@triton.jit
def split_last(x_ptr, PARTS: tl.constexpr):
    first, second = tl.split(tl.zeros((64, PARTS), tl.float32))
    tl.store(x_ptr + tl.arange(0, 64), first + second)


@triton.jit
def huge(x_ptr, ROWS: tl.constexpr, COLS: tl.constexpr):
    tl.zeros([ROWS, COLS], tl.int8)  # which nobody needs, so that it compiles in no time once it is small enough
    tl.store(x_ptr, 0)


@triton.jit
def narrow(x_ptr, M, COLS: tl.constexpr):
    block = tl.make_tensor_descriptor(x_ptr, [M, M], [M, 1], [16, COLS])
    block.store([0, 0], block.load([0, 0]))


@triton.jit
def product(a, b):
    return tl.dot(a, b)


@triton.jit
def operands(x_ptr, a_ptr, b_ptr):
    offsets = tl.arange(0, 32)[:, None] * 32 + tl.arange(0, 32)[None, :]
    tl.store(x_ptr + offsets, product(tl.load(a_ptr + offsets), tl.load(b_ptr + offsets)))


@triton.jit
def exponential(x_ptr, value):
    tl.store(x_ptr, tl.exp(value))


@triton.jit
def bit_pattern(x_ptr, y_ptr):
    tl.store(x_ptr, tl.load(y_ptr).to(tl.int16, bitcast=True))


@triton.jit
def typed_bits(x_ptr, y_ptr, TYPE: tl.constexpr):
    tl.store(x_ptr, tl.load(y_ptr).to(TYPE).to(tl.uint8, bitcast=True))


@triton.jit
def scaled(x_ptr, factor):
    tl.store(x_ptr, factor * 2.0)


@triton.jit
def deep_load(base):
    return tl.load(base + tl.program_id(0))


@triton.jit
def loaded(x_ptr, table):
    tl.store(x_ptr, deep_load(table))


@triton.jit
def masked_bits(x_ptr, flags):
    tl.store(x_ptr, flags & 1)


@triton.jit
def repeated(x_ptr, count):
    for step in range(count):
        tl.store(x_ptr, step)


@triton.jit
def running(x_ptr, start, count):
    total = start
    for _ in range(count):
        total = total + 1.5
    tl.store(x_ptr, total)


@triton.jit
def wide_stride(x_ptr, stride):
    tl.store(x_ptr + stride.to(tl.int64), 1)


@triton.jit
def cast_to(x_ptr, TYPE: tl.constexpr):
    tl.store(x_ptr, tl.load(x_ptr).to(TYPE))


@triton.jit
def shifted_as(x_ptr, TYPE: tl.constexpr):
    tl.store(x_ptr, tl.load(x_ptr).to(TYPE) << 2)


@triton.jit
def of_pair(x_ptr, SHAPE: tl.constexpr):
    first, second = SHAPE
    tl.store(x_ptr, first + second)


@triton.jit
def asserted(x_ptr, SIZE: tl.constexpr, WIDE: tl.constexpr):
    tl.static_assert(SIZE == 32 or WIDE, "neither")
    tl.store(x_ptr, SIZE)


@triton.jit
def largest(x_ptr):
    tl.atomic_max(x_ptr, 1.0)


@triton.jit
def swapped(x_ptr):
    tl.atomic_cas(x_ptr, 0, 1)


@triton.jit
def counted(x_ptr, y_ptr):
    tl.store(x_ptr + tl.arange(0, 64), tl.histogram(tl.load(y_ptr + tl.arange(0, 64)), 64))


@triton.jit
def low_bits(x_ptr, BITS: tl.constexpr):
    mask: tl.constexpr = (1 << BITS) - 1
    tl.store(x_ptr, tl.load(x_ptr) & mask)


@triton.jit
def stored_as(x_ptr, SIZE: tl.constexpr):
    tl.store(x_ptr + tl.arange(0, 64), tl.zeros((SIZE,), tl.float32))


@triton.jit
def divided(x_ptr, SIZE: tl.constexpr, PART: tl.constexpr):
    tl.store(x_ptr + tl.arange(0, SIZE // PART), tl.zeros((SIZE,), tl.float32))


def as_parameter(name: str, value: Any, declared: frozenset[str]) -> Parameter:
    is_type = isinstance(value, str) and name not in declared
    return Parameter(value) if is_type else Parameter("constexpr", value)


def settled(function: Any, guesses: dict[str, Any], provenance: str = "guessed") -> tuple[Answer, list[str]]:
    """What the guesses (types as text, or values) end up as, and the messages on the way."""
    declared = frozenset(p.name for p in function.params if p.is_constexpr)
    parameters = {p.name: as_parameter(p.name, guesses.get(p.name, "*fp32"), declared) for p in function.params}
    for parameter in parameters.values():
        parameter.provenance = provenance
    answer = Answer(parameters)
    retries = Retries(LoadedKernel(function, (), {}), answer)
    messages: list[str] = []
    while True:
        source = versions.source_of(function, answer.signature, answer.constants, answer.attributes)
        try:
            triton.compile(source, target=GPUTarget("cuda", 90, 32))
        except Exception as error:
            following = retries.following(error)
            if following is None:
                raise
            messages.append(str(error))
            answer = following
        else:
            return answer, messages


CASES = [
    ("larger", square, {"SIZE": 8}, {"SIZE": 16}),
    ("power_of_two", filled, {"SIZE": 48}, {"SIZE": 64}),
    ("smaller", huge, {"ROWS": 2048, "COLS": 1024}, {"ROWS": 1024, "COLS": 1024}),
    ("larger", narrow, {"x_ptr": "*fp16", "M": "i32", "COLS": 2}, {"COLS": 16}),
    ("equal", two_sizes, {"A": 32, "B": 64}, {"A": 64, "B": 64}),
    ("equal", split_last, {"PARTS": 64}, {"PARTS": 2}),
    ("equal", stored_as, {"SIZE": 32}, {"SIZE": 64}),
    ("equal", divided, {"SIZE": 64, "PART": 4}, {"SIZE": 64, "PART": 1}),
    ("fewer_bits", low_bits, {"x_ptr": "*i32", "BITS": 64}, {"BITS": 8}),
    ("as_others", reshaped, {"A": 64, "B": 64}, {"A": 128, "B": 64}),
    ("consistent", branches, {"n": "i32", "A": 32, "B": 64}, {"A": 64, "B": 64}),
    ("consistent", running, {"start": "i32", "count": "i32"}, {"start": "fp32"}),
    ("same_element", operands, {"a_ptr": "*fp16", "b_ptr": "*fp32"}, {"a_ptr": "*fp16", "b_ptr": "*fp16"}),
    ("half", operands, {"a_ptr": "*i32", "b_ptr": "*i32"}, {"a_ptr": "*fp16", "b_ptr": "*fp16"}),
    ("expected_element", exponential, {"value": "i32"}, {"value": "fp32"}),
    ("bits", bit_pattern, {"y_ptr": "*fp32"}, {"y_ptr": "*fp16"}),
    ("bits", typed_bits, {"TYPE": tl.float32}, {"TYPE": tl.float8e5}),
    ("single", largest, {"x_ptr": "*bf16"}, {"x_ptr": "*fp32"}),
    ("integer_element", counted, {"y_ptr": "*fp32"}, {"y_ptr": "*i32"}),
    ("pointer", loaded, {"table": "i32"}, {"table": "*fp32"}),
    ("present", loaded, {"table": None}, {"table": "*fp32"}),
    ("present", scaled, {"factor": None}, {"factor": "fp32"}),
    ("not_pointer", scaled, {"factor": "*fp32"}, {"factor": "fp32"}),
    ("integer", masked_bits, {"flags": "fp32"}, {"flags": "i32"}),
    ("integer", repeated, {"count": "fp32"}, {"count": "i32"}),
    ("integer", shifted_as, {"x_ptr": "*i32", "TYPE": tl.float32}, {"TYPE": tl.int32}),
    ("run_time", wide_stride, {"stride": 1}, {"stride": "i32"}),
    ("element", cast_to, {"TYPE": 64}, {"TYPE": tl.float32}),
    ("number", filled, {"SIZE": tl.float32}, {"SIZE": 64}),
    ("pair", of_pair, {"SHAPE": 64}, {"SHAPE": (64, 64)}),
    ("otherwise", asserted, {"SIZE": 64, "WIDE": False}, {"WIDE": True}),
]


@pytest.mark.parametrize(("rule", "function", "guesses", "expected"), CASES)
def test_a_wrong_guess_is_put_right(
    rule: str, function: Any, guesses: dict[str, Any], expected: dict[str, Any]
) -> None:
    answer, messages = settled(function, guesses)
    found = {name: answer.constants.get(name, answer.signature[name]) for name in expected}
    assert found == expected
    assert len(messages) <= MOST
    evidence = [parameter.evidence for parameter in answer.parameters.values() if parameter.evidence]
    assert evidence
    assert all(words.startswith("guessed, after: ") for words in evidence)


def test_every_rule_has_an_answer_and_a_case() -> None:
    assert {answer for _, answer in rules()} == set(ANSWERS)
    assert {rule for rule, *_ in CASES} == set(ANSWERS)


def test_what_was_given_is_never_changed() -> None:
    with pytest.raises(Exception, match="power of 2"):
        settled(filled, {"SIZE": 48}, "given")
    with pytest.raises(Exception, match="power of 2"):
        settled(filled, {"SIZE": 48}, "captured")


def test_the_user_sees_the_last_guess_and_why(tmp_path: Path) -> None:
    file = tmp_path / "kernels.py"
    file.write_text(
        "import triton\nimport triton.language as tl\n\n\n@triton.jit\ndef kernel(x_ptr, y_ptr):\n"
        "    y = tl.clamp(tl.load(y_ptr), 0.0, 1.0)\n    tl.store(x_ptr, y.to(tl.int16, bitcast=True))\n",
        encoding="utf-8",
    )
    told: list[Specialized] = []
    compilation = session.open(
        Request(file, target=Target.parse("sm_90")),
        lambda event: told.append(event) if isinstance(event, Specialized) else None,
    )
    assert compilation.failure is None
    specialization = compilation.specialization
    assert specialization.signature["y_ptr"] == "*fp16"
    assert specialization.provenance["y_ptr"] == "guessed"
    assert specialization.evidence["y_ptr"] == (
        "guessed, after: Cannot bitcast data-type of size 32 to data-type of size 16"
    )
    assert told[0].specialization != specialization
    assert told[-1].specialization == specialization
