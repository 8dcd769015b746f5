"""Operations of tl.dot in a launch: by hand, and against those that Triton's interpreter really does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from made_ttir import compile_ttir, run_script
from samples import SAMPLES
from test_versions import python_with

from irscope import session
from irscope.analysis.counting import FORM
from irscope.analysis.flops import NO_DOTS, Flops, dot_flops
from irscope.model import Compilation, Target
from irscope.request import Request

SIGNATURE = {"x_ptr": "*fp32", "out_ptr": "*fp32", "n": "i32", "m": "i32", "flag": "i32", "SIZE": "constexpr"}
TILE = 2 * 32**3
#: Numbers and grid of the launches of the kernels in ``kernels/dots.py``.
LAUNCHES: tuple[tuple[dict[str, int], tuple[int, int, int]], ...] = (
    ({"n": 1, "m": 5, "flag": 4}, (3, 2, 1)),
    ({"n": 0, "m": 4, "flag": -1}, (2, 4, 3)),
    ({"n": 9, "m": 2, "flag": 0}, (3, 1, 2)),
    ({"n": 33, "m": 34, "flag": 3}, (1, 1, 1)),
)
INTERPRETED = (
    "one",
    "in_branches",
    "triangle",
    "persistent",
    "halving",
    "early_return",
    "in_callee",
    "arithmetic",
    "types",
    "eighths",
    "loaded_elsewhere",
)


def cdiv(a: int, b: int) -> int:
    return -(-a // b)


def text_of(compilation: Compilation) -> str:
    text = compilation.stages["ttir"].text
    assert text
    return text


@pytest.fixture(scope="module")
def interpreted() -> dict[str, Any]:
    """What the interpreter did, by kernel and launch."""
    pytest.importorskip("torch")
    arguments = (str(SAMPLES), json.dumps(INTERPRETED), json.dumps(LAUNCHES))
    found: dict[str, Any] = json.loads(run_script("interpret_dots.py", *arguments, CUDA_VISIBLE_DEVICES=""))
    return found


@pytest.fixture(scope="module")
def attention() -> Callable[..., Compilation]:
    def compiled(**constants: object) -> Compilation:
        text = {name: repr(value) for name, value in constants.items()}
        path = SAMPLES / "flash_attention.py"
        return session.open(Request(path, "flash_attention_kernel", Target.parse("sm_90"), constants=text))

    return compiled


@pytest.mark.parametrize("shape", [(4096, 4096, 4096), (1000, 776, 520), (1, 1, 1), (128, 128, 0)])
def test_matmul_counts_whole_tiles(matmul: Compilation, shape: tuple[int, int, int]) -> None:
    m, n, k = shape
    grid = (cdiv(m, 128) * cdiv(n, 128),)
    found = dot_flops(text_of(matmul), {"M": m, "N": n, "K": k}, grid, matmul.specialization.signature)
    assert found.total == 2 * (cdiv(m, 128) * 128) * (cdiv(n, 128) * 128) * (cdiv(k, 64) * 64)
    assert found.dots == 1
    assert found.type == ("fp16" if k else None)


def test_matmul_of_multiples_of_the_tile_is_the_textbook_figure(matmul: Compilation) -> None:
    size = 8192
    numbers = {"M": size, "N": size, "K": size}
    found = dot_flops(text_of(matmul), numbers, (4096,), matmul.specialization.signature)
    assert found == Flops(1, {"fp16": 2 * size**3})


def test_attention_that_is_not_causal_walks_along_all_keys(attention: Callable[..., Compilation]) -> None:
    compilation = attention(CAUSAL=False)
    for heads, length in ((128, 4096), (6, 1000)):
        grid = (cdiv(length, 128), heads)
        found = dot_flops(text_of(compilation), {"seq_len": length}, grid, compilation.specialization.signature)
        padded = cdiv(length, 128) * 128
        assert found.total == 2 * 2 * heads * padded * cdiv(length, 64) * 64 * 64
        assert (found.dots, found.type) == (4, "fp16")


def test_causal_attention_leaves_out_what_is_past_the_diagonal_block(attention: Callable[..., Compilation]) -> None:
    compilation = attention(CAUSAL=True)
    heads, length = 32, 4096
    found = dot_flops(text_of(compilation), {"seq_len": length}, (32, heads), compilation.specialization.signature)
    # Block b of 128 queries sees the keys of its own block and of those before: 2 * (b + 1) steps of 64.
    steps = sum(2 * (block + 1) for block in range(32))
    assert found.total == heads * steps * 2 * (2 * 128 * 64 * 64)


def test_counts_equal_what_the_interpreter_does(ttir: Mapping[str, str], interpreted: dict[str, Any]) -> None:
    for name in INTERPRETED:
        found = [dot_flops(ttir[name], numbers, grid, SIGNATURE).total for numbers, grid in LAUNCHES]
        assert found == interpreted[name], name
    assert all(any(interpreted[name]) for name in INTERPRETED), "each must do something in some launch"


def test_samples_equal_what_the_interpreter_does(
    interpreted: dict[str, Any], attention: Callable[..., Compilation]
) -> None:
    tiles = {"BLOCK_M": "32", "BLOCK_N": "64", "BLOCK_K": "32"}
    request = Request(SAMPLES / "matmul.py", "matmul_kernel", Target.parse("sm_90"), constants=tiles)
    blocks = {"HEAD_DIM": 16, "BLOCK_M": 32, "BLOCK_N": 16}
    compilations = {
        "matmul": session.open(request),
        "causal": attention(CAUSAL=True, **blocks),
        "full": attention(CAUSAL=False, **blocks),
    }
    for name, compilation in compilations.items():
        signature = compilation.specialization.signature
        for launch in interpreted[name]:
            found = dot_flops(text_of(compilation), launch["numbers"], launch["grid"], signature)
            assert found.total == launch["operations"], (name, launch)


def test_operand_types(ttir: Mapping[str, str]) -> None:
    numbers, grid = LAUNCHES[2]
    programs = 6

    def by_type(name: str) -> Mapping[str, int]:
        return dot_flops(ttir[name], numbers, grid, SIGNATURE).by_type

    once = TILE * programs
    assert by_type("types") == {"fp16": once, "bf16": once, "i8": 9 * once}
    assert by_type("eighths") == {"fp8e5": once}
    assert by_type("precisions_tf32") == {"tf32": once}
    assert by_type("precisions_tf32x3") == {"tf32": 3 * once}
    assert by_type("precisions_ieee") == {"fp32": once}
    assert by_type("scaled") == {"fp8e5": 2 * 128**3 * programs}
    assert dot_flops(ttir["types"], numbers, grid, SIGNATURE).type is None


def test_packed_fp4_has_twice_the_elements(ttir: Mapping[str, str]) -> None:
    """No pointer has this type: the text of a compiled kernel is changed, as Triton would print it."""
    row = next(row for row in ttir["scaled"].splitlines() if "tt.dot_scaled" in row)
    packed = re.sub(r"128x128xf8E5M2(>, tensor<128x4xi8> \*)", r"128x64xi8\1", row).replace("lhs = e5m2", "lhs = e2m1")
    assert packed.count("128x64xi8") == 1
    found = dot_flops(ttir["scaled"].replace(row, packed), {}, (1,))
    assert found.by_type == {"fp8e5": 2 * 128**3}


@pytest.mark.parametrize("name", ["loaded_condition", "loaded_bound"])
def test_what_depends_on_data_is_not_certain(ttir: Mapping[str, str], name: str) -> None:
    found = dot_flops(ttir[name], *LAUNCHES[0], SIGNATURE)
    assert found.total is None
    assert found.type is None
    assert found.dots == 1
    assert "loaded data" in (found.reason or "")


def test_a_number_that_is_missing_is_not_certain(ttir: Mapping[str, str]) -> None:
    assert dot_flops(ttir["early_return"], {"n": 1}, (1,), SIGNATURE).total is None
    # In this one, m matters only where the first condition fails.
    assert dot_flops(ttir["in_branches"], {"n": 1, "flag": 4}, (1,), SIGNATURE).total == TILE
    assert dot_flops(ttir["in_branches"], {"n": 0, "flag": 3}, (1,), SIGNATURE).total is None


def test_a_kernel_without_dots_says_so(ttir: Mapping[str, str], compiled_sample: Callable[..., Compilation]) -> None:
    vector_add = compiled_sample(f"{SAMPLES / 'vector_add.py'}::vector_add_kernel", "sm_90")
    for text in (ttir["no_dots"], text_of(vector_add), "", "module {\n}\n"):
        assert dot_flops(text, {"n": 1}, (7,)) == Flops(0, reason=NO_DOTS)


def test_a_great_grid_is_counted_where_most_programs_are_alike(attention: Callable[..., Compilation]) -> None:
    compilation = attention(CAUSAL=True)
    signature = compilation.specialization.signature
    one = dot_flops(text_of(compilation), {"seq_len": 1000}, (8, 1), signature).total
    assert one
    many = dot_flops(text_of(compilation), {"seq_len": 1000}, (8, 65535, 65535), signature).total
    assert many == one * 65535**2


def test_what_takes_too_long_to_count_has_no_count(ttir: Mapping[str, str]) -> None:
    """The timeout of the tests is the check that it ends: a loop without end, and a grid of programs that differ."""
    endless = dot_flops(ttir["halving"], {"n": 5, "m": -1, "flag": 0}, (1,), SIGNATURE)
    great = dot_flops(ttir["triangle"], {"n": 2**31 - 1, "m": 2**31 - 5, "flag": 0}, (2**31 - 1,), SIGNATURE)
    for found in (endless, great):
        assert found.total is None
        assert "too many" in (found.reason or "")


@pytest.mark.parametrize("name", ["halving", "early_return", "in_callee", "arithmetic"])
def test_a_text_that_is_cut_off_or_lacks_a_row_has_an_answer(ttir: Mapping[str, str], name: str) -> None:
    """Some answer, that is: an IR file is opened as it is."""
    rows = [row for row in ttir[name].splitlines() if not row.startswith("#")]
    texts = [rows[:number] for number in range(len(rows))]
    texts += [rows[:number] + rows[number + 1 :] for number in range(len(rows))]
    answers = [dot_flops("\n".join(text), *LAUNCHES[2], SIGNATURE) for text in texts]
    assert all(answer.total is None or answer.total >= 0 for answer in answers)
    assert any(answer.reason == f"tl.dot: {FORM}" for answer in answers)


@pytest.mark.versions
def test_counts_with_other_tritons(triton: str, tmp_path: Path, ttir: Mapping[str, str]) -> None:
    """The same kernels and launches give the same counts."""
    made = compile_ttir(python_with(triton), tmp_path)
    names = [name for name in made if "tt.dot" in ttir.get(name, "")]
    assert len(names) >= 15
    for name in names:
        for numbers, grid in LAUNCHES:
            here = dot_flops(ttir[name], numbers, grid, SIGNATURE)
            assert dot_flops(made[name], numbers, grid, SIGNATURE) == here, name
