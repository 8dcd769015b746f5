"""What is saved beside a file or captured from its launches, merged with the rest, through a real worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from irscope import session
from irscope.events import Specialized
from irscope.model import Specialization, Target
from irscope.request import Request

KERNEL = """
import triton
import triton.language as tl


@triton.autotune(configs=[triton.Config({"BLOCK": 128}, num_warps=2), triton.Config({"BLOCK": 256}, num_warps=8)],
                 key=["n"])
@triton.jit
def kernel(x_ptr, y_ptr, n, scale, BLOCK: tl.constexpr, FLAG: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    if y_ptr is not None:
        x += tl.load(y_ptr + offsets, mask=offsets < n)
    tl.store(x_ptr + offsets, x * scale, mask=offsets < n)
"""

SAVED = {"provenance": "saved", "origin": "kernels.py.irscope.toml", "entries": {"x_ptr": "*bf16:16"}}
CAPTURED = {
    "provenance": "captured", "origin": "kernels.py:40", "entries": {"x_ptr": "*fp16:16", "y_ptr": "None", "n": "i64",
    "FLAG": "True", "BLOCK": "512"}, "options": {"num_warps": 4, "num_stages": 2}, "configuration": 1,
}  # fmt: skip


def compiled_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layers: list[dict[str, Any]],
                  **fields: Any) -> tuple[Specialization, tuple[str, ...]]:  # fmt: skip
    file = tmp_path / "kernels.py"
    file.write_text(KERNEL, encoding="utf-8")
    found: list[Specialization] = []

    def note(event: object) -> None:
        if isinstance(event, Specialized):
            found.append(event.specialization)

    message_of = session.compile_message
    monkeypatch.setattr(session, "compile_message", lambda *given: {**message_of(*given), "layers": layers})
    compilation = session.open(Request(file, target=Target.parse("sm_90"), fresh=True, **fields), note)
    assert compilation.failure is None
    (specialization,) = found
    # Triton has warnings of its own.
    return specialization, tuple(warning for warning in compilation.warnings if ": left out: " in warning)


def test_the_stronger_layer_wins_and_what_it_lacks_comes_from_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, warnings = compiled_with(tmp_path, monkeypatch, [SAVED, CAPTURED], constants={"FLAG": "False"})
    assert found.signature["x_ptr"] == "*bf16"
    assert found.constexprs == {"y_ptr": None, "BLOCK": 512, "FLAG": False}
    assert found.provenance == {
        "x_ptr": "saved", "y_ptr": "captured", "n": "captured", "scale": "inferred", "BLOCK": "captured",
        "FLAG": "given",
    }  # fmt: skip
    assert found.evidence["x_ptr"] == "kernels.py.irscope.toml"
    assert found.evidence["n"] == "kernels.py:40"
    assert set(found.attributes) == {"x_ptr"}
    assert (found.configuration, found.options["num_warps"], found.options["num_stages"]) == (1, 4, 2)
    assert warnings == ()


def test_a_configuration_and_options_that_are_given_are_stronger_than_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = compiled_with(tmp_path, monkeypatch, [CAPTURED], configuration=0, options={"num_stages": "1"})
    assert (found.constexprs["BLOCK"], found.provenance["BLOCK"]) == (128, "configuration")
    assert (found.configuration, found.options["num_warps"], found.options["num_stages"]) == (0, 2, 1)


def test_what_does_not_fit_the_kernel_is_left_out_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = {"provenance": "saved", "origin": "old.toml", "entries": {"gone": "i32", "FLAG": "i32", "x_ptr": "what?",
           "n": "i64"}, "configuration": 7}  # fmt: skip
    found, warnings = compiled_with(tmp_path, monkeypatch, [old])
    assert (found.signature["n"], found.provenance["n"]) == ("i64", "saved")
    assert (found.provenance["FLAG"], found.provenance["x_ptr"]) == ("guessed", "inferred")
    assert [warning.split(": ")[:2] for warning in warnings] == [["old.toml", "left out"]] * 4
    assert "no parameter 'gone'" in " ".join(warnings)
