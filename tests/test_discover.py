from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from samples import KERNELS, SAMPLES

from irscope import discover, session
from irscope.model import Target
from irscope.request import IrscopeError, Request


def source(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "kernels.py"
    file.write_text(f"import triton\nimport triton.language as tl\n{text}", encoding="utf-8")
    return file


def test_the_matmul_sample_as_it_is_written() -> None:
    (kernel,) = discover.kernels(SAMPLES / "matmul.py")
    assert kernel.name == "matmul_kernel"
    assert [p.name for p in kernel.parameters][:6] == ["a_ptr", "b_ptr", "c_ptr", "M", "N", "K"]
    assert {p.name for p in kernel.parameters if p.constexpr} == {"BLOCK_M", "BLOCK_N", "BLOCK_K", "GROUP_M"}
    assert len(kernel.configurations) > 1
    assert kernel.configurations[0].options["num_warps"] in (4, 8)


def test_helpers_that_return_a_value_are_left_out() -> None:
    assert [kernel.name for kernel in discover.kernels(KERNELS / "two_kernels.py")] == ["scale_kernel", "copy_kernel"]


def test_methods_are_left_out_and_static_ones_are_not(tmp_path: Path) -> None:
    file = source(
        tmp_path,
        "@tl.core._aggregate\nclass Tile:\n    @triton.jit\n    def put(self, x):\n        tl.store(self.ptr, x)\n\n"
        "class Operation:\n    @staticmethod\n    @triton.jit\n    def kernel(x_ptr):\n        tl.store(x_ptr, 1)\n",
    )
    assert [kernel.name for kernel in discover.kernels(file)] == ["Operation.kernel"]


def test_of_two_definitions_the_one_that_python_leaves_there_is_listed_and_compiled(tmp_path: Path) -> None:
    kernel = "@triton.jit\ndef kernel({0}_ptr):\n    tl.store({0}_ptr, 1)\n\n"
    within = "if {}:\n    @triton.jit\n    def {}(x_ptr):\n        tl.store(x_ptr, 1)\n\n"
    text = kernel.format("a") + kernel.format("b") + within.format("True", "other") + within.format("False", "other")
    file = source(tmp_path, text)
    found = {kernel.name: (kernel.line, kernel.parameters[0].name) for kernel in discover.kernels(file)}
    assert found == {"kernel": (8, "b_ptr"), "other": (13, "x_ptr")}
    compiled = session.open(Request(file, "kernel", Target.parse("sm_90")))
    assert (compiled.kernel.line, list(compiled.specialization.signature)) == (8, ["b_ptr"])


def test_a_function_that_another_one_calls_comes_last(tmp_path: Path) -> None:
    file = source(
        tmp_path,
        "@triton.jit\ndef part(x_ptr):\n    tl.store(x_ptr, 1)\n\n@triton.jit\ndef whole(x_ptr):\n    part(x_ptr)\n",
    )
    assert [kernel.name for kernel in discover.kernels(file)] == ["whole", "part"]


def test_computed_configurations_are_said_to_be_unknown(tmp_path: Path) -> None:
    file = source(
        tmp_path,
        "@triton.autotune(configs=[triton.Config({'B': b}) for b in (1, 2)], key=[])\n"
        "@triton.heuristics({'EVEN': lambda a: True})\n"
        "@triton.jit\ndef kernel(x_ptr, B: tl.constexpr, EVEN: tl.constexpr):\n    pass\n",
    )
    (kernel,) = discover.kernels(file)
    assert not kernel.configurations_known
    assert kernel.heuristics == ("EVEN",)


def test_configurations_in_a_module_level_list_are_found(tmp_path: Path) -> None:
    file = source(
        tmp_path,
        "CONFIGS = [triton.Config({'B': 16}, num_warps=2), triton.Config({'B': 32}, 4, 3)]\n"
        "@triton.autotune(CONFIGS, key=[])\n@triton.jit\ndef kernel(x_ptr, B: tl.constexpr):\n    pass\n",
    )
    (kernel,) = discover.kernels(file)
    assert [str(configuration) for configuration in kernel.configurations] == [
        "B=16 num_warps=2",
        "B=32 num_warps=4 num_stages=3",
    ]


def test_a_directory_passes_over_files_that_do_not_parse() -> None:
    names = {kernel.name for kernel in discover.kernels(KERNELS)}
    assert {"noisy_kernel", "scale_kernel"} <= names
    assert "broken_kernel" not in names


def test_every_form_of_definition_is_found() -> None:
    names = [kernel.name for kernel in discover.kernels(KERNELS / "loading" / "forms.py")]
    assert {"assigned", "Layer.method", "Layer.forward.inner", "make.made", "by_version", "elsewhere"} <= set(names)
    assert {"renamed", "by_a_decorator_of_its_own", "under_a_missing_decorator"} <= set(names)
    assert len(names) == len(set(names))


def test_another_packages_jit_is_none_of_tritons(tmp_path: Path) -> None:
    text = "import numba\nfrom numba import jit\n@jit\ndef a(x):\n    pass\n@numba.jit\ndef b(x):\n    pass\n"
    file = source(tmp_path, text)
    assert discover.kernels(file) == []
    assert discover.kernels(source(tmp_path, "from cutlass import cute\n@cute.jit\ndef a(x):\n    pass\n")) == []


def test_how_a_kernel_will_be_specialized_is_told(tmp_path: Path) -> None:
    file = source(
        tmp_path,
        "import torch\n"
        "@triton.autotune([triton.Config({'B': b}, num_warps=w) for b in (1, 2, 4) for w in range(2, 4)], key=[])\n"
        "@triton.jit\ndef kernel(x_ptr, B: tl.constexpr, C: tl.constexpr = 1):\n    pass\n"
        "@triton.jit\ndef other(x_ptr):\n    pass\n"
        "def run(x):\n    kernel[(1,)](x)\n"
        "if __name__ == '__main__':\n    run(torch.empty(1))\n",
    )
    first, second = discover.listed(file)
    assert str(first.prospect) == ("autotune 6 configurations (computed), 1 default, launch in run line 12: captured")
    assert first.prospect.launches[0].line == 12
    assert str(second.prospect) == "inferred"


def test_what_only_a_type_checker_imports_does_not_count(tmp_path: Path) -> None:
    text = (
        "from typing import TYPE_CHECKING\nimport triton\nif TYPE_CHECKING:\n    import torch\n"
        "@triton.jit\ndef kernel(x_ptr):\n    pass\n"
        "if __name__ == '__main__':\n    import torch\n    kernel[(1,)](torch.empty(1))\n"
    )
    (found,) = discover.listed(source(tmp_path, text))
    assert str(found.prospect) == "launch in __main__ line 12 (--capture runs it), the rest inferred"


def test_a_launch_that_is_only_named_at_module_level_does_not_run(tmp_path: Path) -> None:
    text = (
        "import torch\n@triton.jit\ndef kernel(x_ptr):\n    pass\n"
        "class Scale:\n    def apply(x):\n        kernel[(1,)](x)\n"
    )
    (named,) = discover.listed(source(tmp_path, f"{text}scale = Scale.apply\n"))
    (called,) = discover.listed(source(tmp_path, f"{text}print(Scale.apply(torch.empty(1)))\n"))
    assert not named.prospect.captured and called.prospect.captured
    assert len(called.prospect.launches) == 1
    text = (
        "import torch\nif torch:\n    @triton.jit\n    def kernel(x_ptr):\n        pass\n"
        "    def run(x):\n        kernel[(1,)](x)\n"
    )
    (within,) = discover.listed(source(tmp_path, text))
    assert not within.prospect.captured and within.prospect.launches[0].within == "run"


def test_what_other_kernels_call_and_nothing_launches_is_told(tmp_path: Path) -> None:
    text = (
        "@triton.jit\ndef add(x_ptr):\n    tl.store(x_ptr, 1)\n"
        "@triton.jit\ndef both(x_ptr):\n    add(x_ptr)\n    add(x_ptr + 1)\n"
    )
    both, add = discover.listed(source(tmp_path, text))
    assert (str(both.prospect), str(add.prospect)) == ("inferred", "called by other kernels, the rest inferred")
    _, add = discover.listed(source(tmp_path, f"{text}def run(x):\n    add[(1,)](x)\n"))
    assert str(add.prospect) == "launch in run line 11, the rest inferred"


def test_reading_runs_nothing() -> None:
    assert discover.kernels(KERNELS / "aborts.py") == []


def test_a_syntax_error_is_at_its_line() -> None:
    with pytest.raises(IrscopeError) as raised:
        discover.kernels(KERNELS / "syntax_error.py")
    assert raised.value.failure.kind == "syntax"
    assert raised.value.failure.line in (8, 9)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_named_pipe_is_passed_over_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    assert discover.kernels(tmp_path) == []
    with pytest.raises(IrscopeError, match="is not a file"):
        discover.kernels(tmp_path / "pipe.py")


@pytest.mark.skipif(sys.platform == "win32", reason="a link needs a right of its own there")
def test_a_folder_that_links_to_itself_is_read_once(tmp_path: Path) -> None:
    source(tmp_path, "@triton.jit\ndef kernel(x_ptr):\n    pass\n")
    (tmp_path / "self").symlink_to(tmp_path)
    assert len(discover.kernels(tmp_path)) == 1


def test_a_file_that_is_nested_too_deeply_is_a_syntax_error(tmp_path: Path) -> None:
    file = source(tmp_path, f"@triton.jit\ndef kernel(x_ptr):\n    return {'-' * 100_000}1\n")
    with pytest.raises(IrscopeError) as raised:
        discover.kernels(file)
    assert raised.value.failure.kind == "syntax"


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(IrscopeError) as raised:
        discover.kernels(tmp_path / "nowhere.py")
    assert raised.value.exit_code == 2
