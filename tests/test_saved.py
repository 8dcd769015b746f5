"""Specializations that are saved beside a kernel: read, checked, written with comments kept, and used."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from samples import KERNELS

from irscope import layers, saved, session
from irscope.model import Compilation, Target
from irscope.request import IrscopeError, Request

SCALED = KERNELS / "saved" / "scaled.py"


@pytest.fixture
def kernels(tmp_path: Path) -> Path:
    return Path(shutil.copy(SCALED, tmp_path))


def keep(kernels: Path, text: str) -> Path:
    file = saved.path_of(kernels)
    file.write_text(text, encoding="utf-8")
    return file


def compiled(kernels: Path, kernel: str = "scale_kernel", **more: object) -> Compilation:
    found = session.open(Request(kernels, kernel, **more))  # type: ignore[arg-type]
    assert found.failure is None, found.failure
    return found


def test_it_is_beside_the_kernel_file(kernels: Path) -> None:
    assert saved.path_of(kernels) == kernels.parent / "scaled.irscope.toml"
    assert saved.of(kernels, "scale_kernel") is None


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "k.irscope.toml"
    first = saved.Saved(
        {"a": "*fp16:16", "n": "i32:16", "B": "128", "C": "True", "D": "None", "E": "'ieee'", "F": "tl.float16"},
        {"num_warps": "8", "enable_fp_fusion": "False"},
        2,
        Target.parse("gfx942"),
    )
    second = saved.Saved({"large": str(1 << 70), "small": "1e-05", "pair": "(1, 2)"})
    saved.write(file, {"one": first, "outer.<locals>.two": second})
    assert saved.read(file) == {"one": first, "outer.<locals>.two": second}
    assert [name.name for name in tmp_path.iterdir()] == [file.name]


def test_comments_and_other_kernels_stay(tmp_path: Path) -> None:
    file = tmp_path / "k.irscope.toml"
    file.write_text(
        "# mine\n[other.parameters]\nx = \"i32\"  # kept\n\n[one]\n# why\nconfiguration = 1\n"
        "[one.parameters]\n# of a\na = 16 # sixteen\nb = 32 # guessed: its name\nc = 1 # inferred: a line\ngone = 1\n",
        encoding="utf-8",
    )  # fmt: skip
    new = saved.Saved({"a": "64", "b": "128", "c": "1", "d": "i32"}, notes={"b": "given", "c": "saved", "d": "default"})
    saved.write(file, {"one": new})
    text = file.read_text(encoding="utf-8")
    for line in ("# mine", 'x = "i32"  # kept', "# why", "# of a", "a = 64 # sixteen", "b = 128 # given",
                 "c = 1 # inferred: a line", 'd = "i32" # default'):  # fmt: skip
        assert line in text.splitlines(), (line, text)
    assert "gone" not in text and "configuration" not in text
    assert saved.read(file)["other"].entries == {"x": "i32"}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[k\n", 1, "Unexpected character"),
        ("[k]\n\nx = 1\n", 3, "'x' is none of"),
        ("k = 3\n", 1, "must be a table"),
        ("[k]\nparameters = 1\n", 2, "must be a table"),
        ("[a.parameters]\nx = 1\n[k.parameters]\nx = ''\n", 4, "x must be a type or a constant"),
        ("[k.parameters]\nx = {y = 1}\n", 2, "x must be a type or a constant"),
        ("[k.parameters]\nx = 2026-01-01\n", 2, "x must be a type or a constant"),
        ("[k.parameters]\nx = 1\nx = 2\n", 3, "already"),
        ("[k]\ntarget = 'pdp11'\n", 2, "'pdp11' is not a target"),
        ("[k]\nconfiguration = -1\n", 2, "configuration must be a number"),
        ('["k"."options"]\n"num_warps" = {}\n', 2, "the option num_warps"),
    ],
)
def test_what_is_wrong_has_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    file = tmp_path / "k.irscope.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(IrscopeError) as caught:
        saved.read(file)
    failure = caught.value.failure
    assert (failure.kind, failure.file, failure.line) == ("usage", str(file), line)
    assert words in failure.message and "\n" not in failure.message
    assert failure.hint is not None and "--no-saved" in failure.hint
    with pytest.raises(IrscopeError):
        saved.write(file, {"k": saved.Saved()})
    assert file.read_text(encoding="utf-8") == text


def test_no_text_at_all(tmp_path: Path) -> None:
    file = tmp_path / "k.irscope.toml"
    file.write_bytes(b"\xff\xfe[k]")
    with pytest.raises(IrscopeError, match="UTF-8"):
        saved.read(file)


def test_it_decides_the_compilation(kernels: Path) -> None:
    plain = compiled(kernels)
    file = keep(
        kernels,
        '[scale_kernel]\ntarget = "sm_80"\n[scale_kernel.parameters]\nx_ptr = "*bf16:16"\nBLOCK = 32\n'
        'DTYPE = "tl.bfloat16"\nbias_ptr = "None"\nHAS_BIAS = false\n[scale_kernel.options]\nnum_warps = 2\n',
    )
    found = compiled(kernels)
    chosen = found.specialization
    assert chosen.signature["x_ptr"] == "*bf16" and chosen.constexprs["BLOCK"] == 32
    assert chosen.constexprs["bias_ptr"] is None and chosen.constexprs["HAS_BIAS"] is False
    assert chosen.options["num_warps"] == 2 and found.target == Target.parse("sm_80")
    assert {name: chosen.provenance[name] for name in ("x_ptr", "BLOCK", "n")}.items() >= {
        ("x_ptr", "saved"), ("BLOCK", "saved")
    }  # fmt: skip
    assert chosen.provenance["n"] != "saved" and chosen.evidence["BLOCK"] == file.name
    assert str(file) in [source.path for source in found.sources]
    assert ".bf16" in found.text("ptx") and ".bf16" not in plain.text("ptx")


def test_given_wins_and_it_can_be_left_aside(kernels: Path) -> None:
    keep(kernels, "[scale_kernel.parameters]\nBLOCK = 32\n[scale_kernel.options]\nnum_warps = 2\n")
    given = compiled(kernels, constants={"BLOCK": "64"}, options={"num_warps": "1"}).specialization
    assert (given.constexprs["BLOCK"], given.provenance["BLOCK"], given.options["num_warps"]) == (64, "given", 1)
    aside = compiled(kernels, saved=False)
    assert "saved" not in aside.specialization.provenance.values()
    assert [source.path for source in aside.sources] == [str(kernels)]


def test_a_configuration_is_saved_by_its_number(kernels: Path) -> None:
    keep(kernels, "[tuned_kernel]\nconfiguration = 1\n")
    chosen = compiled(kernels, "tuned_kernel").specialization
    assert (chosen.configuration, chosen.constexprs["BLOCK"], chosen.options["num_warps"]) == (1, 256, 8)
    assert compiled(kernels, "tuned_kernel", configuration=0).specialization.constexprs["BLOCK"] == 64


def test_what_does_not_fit_is_told_and_left_out(kernels: Path) -> None:
    file = keep(kernels, "[scale_kernel.parameters]\nOLD_NAME = 32\nBLOCK = 16\n")
    found = compiled(kernels)
    assert any(file.name in warning and "OLD_NAME" in warning for warning in found.warnings)
    assert found.specialization.constexprs["BLOCK"] == 16


def test_a_change_misses_the_store(kernels: Path) -> None:
    def stored() -> bool:
        seen: list[bool] = []
        session.open(
            Request(kernels, "scale_kernel"),
            lambda event: seen.append(event.stored) if isinstance(event, session.Finished) else None,
        )
        return seen[-1]

    assert not stored() and stored()
    file = keep(kernels, "[scale_kernel.parameters]\nBLOCK = 16\n")
    assert not stored() and stored()
    keep(kernels, "[scale_kernel.parameters]\nBLOCK = 32\n")
    assert not stored() and stored()
    keep(kernels, "[scale_kernel.parameters]\nBLOCK = 32 # remarked\n")
    assert not stored() and stored()
    file.unlink()
    assert stored(), "as it was before there was a file"


def test_a_kernel_that_it_does_not_name_is_not_touched(kernels: Path) -> None:
    keep(kernels, "[tuned_kernel]\nconfiguration = 1\n")
    assert layers.of(Request(kernels, "scale_kernel")) == []
    assert saved.sources_of(Request(kernels, "scale_kernel")) == []
