"""Kernels of files that do not load as they are: in part, with stand-ins, from within functions, packages, forms."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from samples import KERNELS

from irscope import discover, session
from irscope.interpreter import install_command
from irscope.model import Compilation, Failure, Target
from irscope.request import Request

LOADING = KERNELS / "loading"
FORMS = LOADING / "forms.py"
SHOP = LOADING / "tree" / "src" / "shop"
HOPPER = Target.parse("sm_90")


def compiled(path: Path, kernel: str | None = None, target: Target = HOPPER) -> Compilation:
    compilation = session.open(Request(path, kernel, target, capture="never"))
    assert compilation.failure is None, compilation.failure
    return compilation


def failing(path: Path, kernel: str | None = None) -> Failure:
    failure = session.open(Request(path, kernel, HOPPER, capture="never")).failure
    assert failure is not None
    assert "\n" not in failure.message
    return failure


def file_with(folder: Path, text: str) -> Path:
    file = folder / "kernels.py"
    file.write_text(f"import torch\nimport triton\nimport triton.language as tl\n{text}", encoding="utf-8")
    return file


@pytest.mark.parametrize("kernel", [kernel.name for kernel in discover.kernels(FORMS)])
def test_every_form_of_definition_compiles_and_its_lines_are_those_of_the_file(kernel: str) -> None:
    compilation = compiled(FORMS, kernel)
    (known,) = (each for each in discover.kernels(FORMS) if each.name == kernel)
    assert compilation.kernel.line == known.line
    assert f'"{FORMS}":' in compilation.text("ttir").replace("\\\\", "\\")


def test_configurations_and_heuristics_that_are_computed_are_run_for_the_target() -> None:
    compilation = compiled(FORMS, "computed")
    assert [each.constexprs["BLOCK"] for each in compilation.kernel.configurations] == [32, 64, 128]
    assert compilation.specialization.constexprs["WIDTH"] == 256
    assert compiled(FORMS, "computed", Target.parse("sm_80")).specialization.constexprs["WIDTH"] == 32


def test_defaults_that_come_out_of_a_module_are_worked_out(tmp_path: Path) -> None:
    text = (
        "BITS = torch.finfo(torch.float16).bits\n\n@triton.jit\ndef helper(x, factor: tl.constexpr = BITS):\n"
        "    return x * factor\n\n@triton.jit\n"
        "def kernel(x_ptr, BLOCK: tl.constexpr = BITS, *, WIDE: tl.constexpr = torch.finfo(torch.float32).bits):\n"
        "    at = x_ptr + tl.arange(0, BLOCK)\n    tl.store(at, helper(tl.load(at)) + WIDE)\n"
    )
    compilation = compiled(file_with(tmp_path, text))
    assert compilation.specialization.constexprs == {"BLOCK": 16, "WIDE": 32}
    assert {"dense<1.600000e+01>", "dense<3.200000e+01>"} <= set(compilation.text("ttir").split())


def test_a_default_out_of_a_module_that_is_not_there_is_guessed(tmp_path: Path) -> None:
    text = (
        "from shop import limits\n\nLIMITS = torch.finfo(limits.narrow_type())\n\n@triton.jit\n"
        "def kernel(x_ptr, WIDE: tl.constexpr, BLOCK: tl.constexpr = 32, LOW: tl.constexpr = LIMITS.min):\n"
        "    at = x_ptr + tl.arange(0, BLOCK)\n    x = tl.load(at)\n    if WIDE:\n"
        "        x = tl.maximum(x, LOW)\n    tl.store(at, x)\n"
    )
    specialization = compiled(file_with(tmp_path, text)).specialization
    assert specialization.provenance["LOW"] == "guessed"
    assert isinstance(specialization.constexprs["LOW"], int)
    assert specialization.constexprs["BLOCK"] == 32


def test_the_values_around_a_kernel_in_a_function_are_those_of_the_call_that_makes_it() -> None:
    ttir = compiled(FORMS, "make.made").text("ttir")
    assert "end = 32 : i32" in ttir
    assert "math.log" in ttir


def test_a_kernel_in_a_branch_that_is_not_taken_is_compiled_and_that_is_told() -> None:
    assert "3.000000e+01" in compiled(FORMS, "by_version").text("ttir")
    assert any("`if` does not hold" in warning for warning in compiled(FORMS, "elsewhere").warnings)


def test_an_import_that_may_fail_fails() -> None:
    assert "7.000000e+00" in compiled(FORMS, "by_attempt").text("ttir")


def test_a_module_that_only_decorates_is_stubbed_and_named() -> None:
    warnings = compiled(FORMS, "under_a_missing_decorator").warnings
    assert any("'a_module_that_is_not_there' was stubbed" in warning for warning in warnings)
    assert not any("stubbed" in warning for warning in compiled(FORMS, "by_another_name").warnings)


def test_the_last_name_of_a_nested_kernel_is_enough() -> None:
    assert compiled(FORMS, "inner").kernel.line == compiled(FORMS, "Layer.forward.inner").kernel.line


def test_a_packages_init_is_not_run_for_its_kernels() -> None:
    compilation = compiled(SHOP / "ops" / "scaling.py")
    assert "2.500000e+00" in compilation.text("ttir")
    files = {Path(source.path).name for source in compilation.sources}
    assert {"scaling.py", "common.py", "limits.py"} <= files


def test_a_kernel_that_another_module_defines_is_found_by_its_name_here() -> None:
    kernel = compiled(SHOP / "ops" / "__init__.py", "renamed_kernel").kernel
    assert (kernel.name, Path(kernel.file).name) == ("scale_kernel", "scaling.py")


def test_a_package_without_init_files_is_found() -> None:
    assert "2.000000e+00" in compiled(LOADING / "spaces" / "outer" / "inner" / "kernels.py").text("ttir")


def test_what_a_kernel_needs_from_another_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    failure = failing(Path(shutil.copy(SHOP / "ops" / "scaling.py", tmp_path)))
    assert failure.kind == "missing"
    assert failure.line == 7
    assert "'BIAS' of the module 'shop.limits'" in failure.message
    assert str(failure.hint).startswith(install_command(Path(sys.executable), "shop"))


def test_a_relative_import_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    text = "from ..common import helper\n\n@triton.jit\ndef kernel(x_ptr):\n    tl.store(x_ptr, helper)\n"
    failure = failing(file_with(tmp_path, text))
    assert (failure.kind, failure.line) == ("missing", 4)
    assert "'helper' of '..common'" in failure.message
    assert "package's tree" in str(failure.hint)


def test_code_that_the_kernel_does_not_need_is_not_run(tmp_path: Path) -> None:
    text = (
        "DEVICE = triton.runtime.driver.active.get_active_torch_device()\n\n"
        "@triton.jit\ndef kernel(x_ptr):\n    tl.store(x_ptr, 1.0)\n\n"
        "def run():\n    kernel[(1,)](torch.empty(1, device=DEVICE))\n\n"
        "while True:\n    run()\n"
    )
    compiled(file_with(tmp_path, text))


def test_an_exception_in_what_it_does_need_is_at_its_line(tmp_path: Path) -> None:
    text = "SIZE = int('many')\n\n@triton.jit\ndef kernel(x_ptr, N: tl.constexpr = SIZE):\n    tl.store(x_ptr, N)\n"
    failure = failing(file_with(tmp_path, text))
    assert (failure.kind, failure.line) == ("file", 4)
    assert "many" in failure.message


def test_a_name_that_hides_pythons_own_is_the_files(tmp_path: Path) -> None:
    text = "max = tl.minimum\n\n@triton.jit\ndef kernel(x_ptr, n):\n    tl.store(x_ptr, max(n, 7))\n"
    assert "arith.minsi" in compiled(file_with(tmp_path, text)).text("ttir")


def test_values_are_those_that_a_name_had_at_that_line(tmp_path: Path) -> None:
    text = (
        "SIZE = 16\nFIRST = tl.constexpr(SIZE)\nSIZE = 32\nTABLE = {}\nTABLE['a'] = SIZE\n"
        "LAST = tl.constexpr(TABLE['a'])\nTABLE['a'] = 64\n\n"
        "@triton.jit\ndef kernel(x_ptr):\n    tl.store(x_ptr + tl.arange(0, LAST), FIRST)\n"
    )
    ttir = compiled(file_with(tmp_path, text)).text("ttir")
    assert "end = 32 : i32" in ttir
    assert "1.600000e+01" in ttir


def test_a_changed_file_that_was_executed_in_part_is_compiled_again(tmp_path: Path) -> None:
    shutil.copytree(SHOP.parent, tmp_path / "src")
    scaling = tmp_path / "src" / "shop" / "ops" / "scaling.py"
    assert "2.500000e+00" in compiled(scaling).text("ttir")
    limits = tmp_path / "src" / "shop" / "limits.py"
    limits.write_text(limits.read_text(encoding="utf-8").replace("2.5", "4.5"), encoding="utf-8")
    assert "4.500000e+00" in compiled(scaling).text("ttir")


SCALE = """
    offsets = TL.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(x_ptr + offsets, exp(tl.load(x_ptr + offsets)))
"""


def test_helpers_that_are_not_there_are_tritons_where_it_has_them(tmp_path: Path) -> None:
    body = SCALE.replace("TL", "language")
    imports = "from absent import language\nfrom absent.language import exp\n"
    file = file_with(tmp_path, f"{imports}@triton.jit\ndef scale(x_ptr, BLOCK: tl.constexpr):{body}")
    compilation = compiled(file)
    assert "math.exp" in compilation.text("ttir")
    for name, module in (("program_id", "absent.language"), ("exp", "absent.language")):
        assert f"{name} of '{module}', which is not there, was taken as Triton's own" in compilation.warnings


def test_a_helper_that_triton_does_not_have_is_named(tmp_path: Path) -> None:
    body = SCALE.replace("TL", "tl")
    file = file_with(tmp_path, f"from absent import language\n@triton.jit\ndef scale(x_ptr, BLOCK: tl.constexpr):{body}"
                     "    tl.store(x_ptr, language.of_our_own)\n    language.exp(offsets)\nexp = tl.exp\n")  # fmt: skip
    failure = failing(file)
    assert failure.kind == "missing" and "'language.of_our_own' of the module 'absent.language'" in failure.message


def test_other_helpers_that_are_not_there_give_back_what_they_are_given(tmp_path: Path) -> None:
    body = "    first, second = absent.ordered(tl.load(x_ptr), limit=3.0)\n    tl.store(x_ptr, twice(first + second))\n"
    text = f"import absent\nfrom absent.math import twice\n@triton.jit\ndef scale(x_ptr):\n{body}"
    compilation = compiled(file_with(tmp_path, text))
    assert compilation.text("ttir").count("arith.addf") == 1
    told = [warning for warning in compilation.warnings if "without it" in warning]
    assert [warning.split("'")[1:4:2] for warning in told] == [["absent.ordered", "absent"], ["twice", "absent"]]


def test_autotuning_that_asks_for_what_is_not_there_is_left_out(tmp_path: Path) -> None:
    decorators = (
        "@triton.autotune(configs=[], of_another_version=True)\n@triton.heuristics({'BLOCK': lambda arguments: 2048})\n"
    )
    body = SCALE.replace("TL", "tl")
    text = f"from triton.language import exp\n{decorators}@triton.jit\ndef scale(x_ptr, BLOCK: tl.constexpr):{body}"
    compilation = compiled(file_with(tmp_path, text))
    assert compilation.specialization.constexprs["BLOCK"] == 2048
    assert compilation.specialization.provenance["BLOCK"] == "heuristic"
    assert any("without triton.autotune(" in warning for warning in compilation.warnings)


def test_an_autotune_key_that_is_no_parameter_is_left_out_and_the_configurations_stay(tmp_path: Path) -> None:
    decorator = "@triton.autotune(configs=[triton.Config({'BLOCK': 256})], key=['n', 'absent'])\n"
    body = SCALE.replace("TL", "tl")
    text = f"from triton.language import exp\n{decorator}@triton.jit\ndef scale(x_ptr, BLOCK: tl.constexpr):{body}"
    compilation = compiled(file_with(tmp_path, text))
    assert (compilation.specialization.constexprs, compilation.specialization.provenance["BLOCK"]) == (
        {"BLOCK": 256},
        "configuration",
    )


def test_a_naming_function_out_of_a_module_that_is_not_there_is_left_out(tmp_path: Path) -> None:
    text = (
        "from ..naming import make_repr\nnamed = make_repr('scale', ['N'])\n"
        "@triton.jit(repr=named)\ndef helper(x):\n    return x * 2\n"
        "@triton.jit(repr=named)\ndef scale(x_ptr):\n    tl.store(x_ptr, helper(tl.load(x_ptr)))\n"
    )
    compilation = compiled(file_with(tmp_path, text))
    for name in ("helper", "scale"):
        assert any(f"the repr of {name} comes out of '..naming'" in warning for warning in compilation.warnings)
    assert "@scale(" in compilation.text("ttir")


def test_a_default_out_of_another_file_that_fails_is_guessed(tmp_path: Path) -> None:
    (tmp_path / "limits.py").write_text("LIMITS = 90 in 'gfx950'\n", encoding="utf-8")
    text = (
        "from limits import LIMITS\n\n@triton.jit\n"
        "def scale(x_ptr, WIDE: tl.constexpr, BLOCK: tl.constexpr = 32, LOW: tl.constexpr = LIMITS.low):\n"
        "    at = x_ptr + tl.arange(0, BLOCK)\n    x = tl.load(at)\n    if WIDE:\n"
        "        x = tl.maximum(x, LOW)\n    tl.store(at, x)\n"
    )
    compilation = compiled(file_with(tmp_path, text))
    assert compilation.specialization.provenance["LOW"] == "guessed"
    assert compilation.specialization.constexprs["BLOCK"] == 32
    assert any("without the default of LOW (TypeError" in warning for warning in compilation.warnings)


def test_a_helper_out_of_all_names_of_a_module_that_is_not_there_is_one_too(tmp_path: Path) -> None:
    text = (
        "from .helpers import *\n@triton.jit\ndef scale(x_ptr, n):\n    first, second = tiled(tl.program_id(0), n)\n"
        "    tl.store(x_ptr + first + second, max(n, 2))\n"
    )
    compilation = compiled(file_with(tmp_path, text))
    assert any("the helper 'tiled' of '.helpers' is not there" in warning for warning in compilation.warnings)


def test_a_name_that_is_only_an_attributes_is_not_run(tmp_path: Path) -> None:
    body = "    tl.store(x_ptr, tl.sigmoid(tl.load(x_ptr)))\nsigmoid = torch.nothing.there()\n"
    assert not compiled(file_with(tmp_path, f"@triton.jit\ndef scale(x_ptr):\n{body}raise SystemExit\n")).warnings


def test_an_import_for_another_version_gives_way_to_the_one_that_works(tmp_path: Path) -> None:
    text = (
        "from absent import is_new\nif is_new('triton', '3.0.0'):\n    from triton.language import exp\n"
        "else:\n    from triton.language.math import of_version_1 as exp\n"
        "@triton.jit\ndef scale(x_ptr):\n    tl.store(x_ptr, exp(tl.load(x_ptr)))\n"
    )
    assert "math.exp" in compiled(file_with(tmp_path, text)).text("ttir")


def test_the_version_of_what_is_installed_is_known_without_importing_it(tmp_path: Path) -> None:
    text = (
        "import re\nimport numpy\n"
        "NEW = int(re.match('[0-9]+', numpy.__version__)[0]) > 0 and numpy.__version__ >= '1.9'\n"
        "@triton.jit\ndef scale(x_ptr, N: tl.constexpr = 7 if NEW else 8):\n    tl.store(x_ptr, N)\n"
    )
    compilation = compiled(file_with(tmp_path, text))
    assert compilation.specialization.constexprs["N"] == 7 and not compilation.warnings


def test_a_function_around_a_kernel_may_return_early(tmp_path: Path) -> None:
    text = (
        "_made = None\ndef kernels():\n    global _made\n    if _made is not None:\n        return _made\n"
        "    try:\n        SIZE = 7\n    except ImportError:\n        return None\n"
        "    @triton.jit\n    def scale(x_ptr, N: tl.constexpr = SIZE):\n        tl.store(x_ptr, N)\n"
        "    _made = scale\n    return _made\n"
    )
    compilation = compiled(file_with(tmp_path, text), "kernels.scale")
    assert compilation.specialization.constexprs["N"] == 7
    assert compilation.kernel.line == 14


@pytest.mark.parametrize("target", [HOPPER, Target.parse("gfx942")])
def test_triton_by_way_of_somebodys_module_is_triton_and_has_one_driver(target: Target) -> None:
    compilation = compiled(LOADING / "guarded.py", "guarded", target)
    assert compilation.specialization.constexprs["SIZE"] == 64
