"""The sample kernels' numerics and manners, with no GPU: Triton's interpreter runs the kernels on the CPU.

The samples run in a process of their own, since Triton decides at import whether it interprets. This file is
that process's script too: `python test_samples_host.py matmul` checks matmul.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

SAMPLES = Path(__file__).resolve().parent.parent / "sample_kernels"
RUNNABLE = (
    "dropout",
    "flash_attention",
    "helper_calls",
    "histogram",
    "layer_norm",
    "matmul",
    "softmax",
    "vector_add",
)


def check_vector_add() -> None:
    import torch
    import vector_add

    # Not a multiple of the block: the last program has elements to leave out.
    x, y = torch.randn(2, 2500).unbind()
    torch.testing.assert_close(vector_add.run(x, y), vector_add.reference(x, y), rtol=0, atol=0)


def check_softmax() -> None:
    import softmax
    import torch

    for shape in ((5, 100), (3, 1), (2, 1024)):
        x = 30.0 * torch.randn(shape)
        torch.testing.assert_close(softmax.run(x), softmax.reference(x))
    wide = torch.randn(6, 90)[:, :70]
    torch.testing.assert_close(softmax.run(wide), softmax.reference(wide))


def check_matmul() -> None:
    import matmul
    import torch

    # Timing configurations against one another needs a GPU; each must be right on its own.
    configurations = matmul.matmul_kernel.configs
    a = torch.randn(300, 200, dtype=torch.float16)
    b = torch.randn(190, 200, dtype=torch.float16).T
    want = a.double() @ b.double()
    for configuration in configurations:
        matmul.matmul_kernel.configs = [configuration]
        torch.testing.assert_close(matmul.run(a, b).double(), want, rtol=1e-3, atol=2e-2)
    # Nine rows of tiles: the last group has one where the others have eight.
    matmul.matmul_kernel.configs = configurations[-1:]
    tall = torch.randn(9 * 64 - 3, 40, dtype=torch.float16)
    square = torch.randn(40, 130, dtype=torch.float16)
    torch.testing.assert_close(matmul.run(tall, square).double(), tall.double() @ square.double(), rtol=1e-3, atol=1e-2)


def check_layer_norm() -> None:
    import layer_norm
    import torch

    # More rows than programs, so that one sums several; a large mean, where a careless variance cancels.
    x = torch.randn(300, 75) + 50.0
    weight, bias = torch.randn(2, 75).unbind()
    dout = torch.randn_like(x)
    out, mean, rstd = layer_norm.run(x, weight, bias)
    torch.testing.assert_close(out, layer_norm.reference(x, weight, bias), rtol=1e-4, atol=1e-4)
    got = layer_norm.run_backward(dout, x, weight, mean, rstd)
    want = layer_norm.reference_backward(dout, x, weight, bias)
    for ours, torch_s in zip(got, want, strict=True):
        torch.testing.assert_close(ours, torch_s, rtol=1e-4, atol=1e-3)


def check_flash_attention() -> None:
    import flash_attention
    import torch

    configurations = flash_attention.flash_attention_kernel.configs
    tiles = {(each.kwargs["BLOCK_M"], each.kwargs["BLOCK_N"]): each for each in configurations}
    for configuration in tiles.values():
        flash_attention.flash_attention_kernel.configs = [configuration]
        # One block exactly, less than one, and a length that leaves a rest on both axes.
        for seq_len, head_dim in ((128, 64), (50, 16), (300, 32)):
            q, k, v = torch.randn(3, 1, 2, seq_len, head_dim, dtype=torch.float16).unbind()
            for causal in (False, True):
                got = flash_attention.run(q, k, v, causal).float()
                want = flash_attention.reference(q.float(), k.float(), v.float(), causal)
                torch.testing.assert_close(got, want, rtol=1e-2, atol=4e-3)


def check_histogram() -> None:
    import histogram
    import torch

    # Beyond both ends, exactly on edges, and not a multiple of the block.
    x = torch.cat([2.0 * torch.randn(9000), torch.tensor([-4.0, 4.0, 0.0, 1e30, -1e30, torch.inf])])
    counts = histogram.run(x, -4.0, 4.0, 64)
    assert counts.sum().item() == x.numel()
    torch.testing.assert_close(counts, histogram.reference(x, -4.0, 4.0, 64), rtol=0, atol=0)


def check_dropout() -> None:
    import dropout
    import torch

    x = torch.rand(5000) + 1.0
    out = dropout.run(x, 0.25, 7)
    torch.testing.assert_close(out, dropout.reference(x, 0.25, 7))
    torch.testing.assert_close(dropout.run(x, 0.25, 7), out, rtol=0, atol=0)
    assert not torch.equal(dropout.run(x, 0.25, 8) == 0, out == 0)
    # A fair generator is five standard deviations off once in two million seeds, and this seed is fixed.
    dropped = (out == 0).float().mean().item()
    assert abs(dropped - 0.25) < 5 * (0.25 * 0.75 / x.numel()) ** 0.5
    torch.testing.assert_close(dropout.run(x, 0.0, 7), x)


def check_helper_calls() -> None:
    import helper_calls
    import torch

    x, gain = 5.0 * torch.randn(7, 300), 10.0 * torch.randn(7)
    torch.testing.assert_close(
        helper_calls.run(x, gain, 3.0), helper_calls.reference(x, gain, 3.0), rtol=1e-4, atol=1e-5
    )


CHECKS: dict[str, Callable[[], None]] = {name: globals()[f"check_{name}"] for name in RUNNABLE}


def run_python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TRITON_")}
    return subprocess.run(
        [sys.executable, *arguments],
        env=inherited | {"PYTHONPATH": str(SAMPLES), "PYTHONIOENCODING": "utf-8"} | environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_every_sample_is_listed() -> None:
    assert {path.stem for path in SAMPLES.glob("*.py")} == {*RUNNABLE, "activations", "harness"}


@pytest.fixture(scope="module")
def checked() -> dict[str, str | None]:
    """What is wrong with each sample. One process for all: importing torch takes longer than most of them."""
    pytest.importorskip("torch")
    done = run_python(__file__, *RUNNABLE, TRITON_INTERPRET="1")
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, str | None] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", RUNNABLE)
def test_interpreted_kernel_agrees_with_torch(name: str, checked: dict[str, str | None]) -> None:
    assert checked[name] is None, checked[name]


#: A module that is None in sys.modules fails to import as if it were not installed.
WITHOUT_TORCH = "import sys; sys.modules['torch'] = None"
RUN_EACH = f"""
import runpy
for name in {RUNNABLE}:
    try:
        runpy.run_path({str(SAMPLES)!r} + '/' + name + '.py', run_name='__main__')
    except SystemExit as leaving:
        print(leaving.code)
"""


def test_modules_need_no_torch() -> None:
    done = run_python("-c", f"{WITHOUT_TORCH}; import activations, {', '.join(RUNNABLE)}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("prelude", "says"),
    [(WITHOUT_TORCH, "needs torch"), ("", "needs a CUDA device")],
    ids=["no torch", "no GPU"],
)
def test_what_is_missing_is_one_clear_line(prelude: str, says: str) -> None:
    # sys.exit(text) is exit code 1 with the text on standard error; caught, the code is the text.
    if not prelude:
        pytest.importorskip("torch")
    done = run_python("-c", prelude + RUN_EACH, CUDA_VISIBLE_DEVICES="")
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and len(lines) == len(RUNNABLE), done.stdout + done.stderr
    for name, line in zip(RUNNABLE, lines, strict=True):
        assert line.startswith(f"{name}: {says}")


def test_run_as_a_file_without_torch_leaves_with_exit_code_1() -> None:
    run_matmul = f"import runpy; runpy.run_path({str(SAMPLES / 'matmul.py')!r}, run_name='__main__')"
    done = run_python("-c", f"{WITHOUT_TORCH}; {run_matmul}")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("matmul: needs torch") and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_sample_explains_itself(path: Path) -> None:
    module = ast.parse(path.read_text(encoding="utf-8"))
    documentation = ast.get_docstring(module)
    assert documentation
    if path.stem in RUNNABLE:
        assert "Work: " in documentation and "In irscope: " in documentation


if __name__ == "__main__":
    import torch

    problems: dict[str, str | None] = {}
    for sample in sys.argv[1:]:
        torch.manual_seed(0)
        try:
            CHECKS[sample]()
            problems[sample] = None
        except Exception:
            problems[sample] = traceback.format_exc()
    print(json.dumps(problems))
