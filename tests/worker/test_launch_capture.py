"""The launches of a file's own code: which there are, and what the chosen one is launched with."""

from __future__ import annotations

from typing import Any

import pytest
from settling import FILES, settle

from irscope import interpreter
from irscope.client import Client

pytest.importorskip("torch")

SEVERAL = "several.py"
TUNED = "tuned.py"
STUBBORN = "stubborn.py"
DESCRIPTORS = "descriptors.py"

REQUESTS: dict[str, dict[str, Any]] = {
    "first": {"path": SEVERAL},
    "by name": {"path": SEVERAL, "kernel": "add_kernel"},
    "second": {"path": SEVERAL, "kernel": "add_kernel", "number": 1},
    "changed": {
        "path": SEVERAL, "kernel": "add_kernel", "constants": {"BLOCK": "64", "n": "10"},
        "options": {"num_warps": "8"}, "compile": True,
    },
    "own grid": {"path": SEVERAL, "kernel": "add_kernel", "grid": "cdiv(n, BLOCK) * 2, min(3, n)"},
    "unknown in grid": {"path": SEVERAL, "kernel": "add_kernel", "grid": "cdiv(n, BLOK)"},
    "too many": {"path": SEVERAL, "kernel": "add_kernel", "number": 2},
    "no such constexpr": {"path": SEVERAL, "kernel": "add_kernel", "constants": {"BLOK": "64"}},
    "no such option": {"path": SEVERAL, "kernel": "add_kernel", "options": {"num_wraps": "8"}, "compile": True},
    "types given": {"path": SEVERAL, "kernel": "add_kernel", "arguments": {"x_ptr": "*bf16"}},
    "inputs for the file's": {"path": SEVERAL, "source": "file", "inputs": {"x_ptr": "randn"}},
    "entry": {"path": SEVERAL, "kernel": "add_kernel", "entry": "launch_the_small_one"},
    "entry misspelt": {"path": SEVERAL, "entry": "launch_the_smal_one"},
    "entry with parameters": {"path": SEVERAL, "entry": "needs_an_argument"},
    "list": {"path": SEVERAL, "list": True},
    "tuned": {"path": TUNED, "kernel": "sum_kernel"},
    "tuned, chosen": {"path": TUNED, "kernel": "sum_kernel", "configuration": 2, "compile": True},
    "tuned, changed": {"path": TUNED, "kernel": "sum_kernel", "constants": {"BLOCK": "128"}},
    "tuned, not there": {"path": TUNED, "kernel": "sum_kernel", "configuration": 9},
    "list tuned": {"path": TUNED, "list": True},
    "descriptor": {"path": DESCRIPTORS, "compile": True},
    "descriptor, changed": {"path": DESCRIPTORS, "constants": {"BLOCK": "64"}},
    "caught": {"path": STUBBORN, "kernel": "kernel", "entry": "catches_everything"},
    "thread": {"path": STUBBORN, "kernel": "kernel", "entry": "launches_in_a_thread"},
    "process": {"path": STUBBORN, "kernel": "kernel", "entry": "launches_in_a_process"},
    "exits": {"path": STUBBORN, "kernel": "kernel", "entry": "exits"},
    "raises": {"path": STUBBORN, "kernel": "kernel", "entry": "raises"},
    "wrong": {"path": STUBBORN, "kernel": "kernel", "entry": "launches_wrongly"},
    "never": {"path": STUBBORN, "kernel": "never_launched", "source": "file"},
}  # fmt: skip


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, Any]]:
    """With a stand-in driver: other launches are dropped."""
    return settle(REQUESTS)


@pytest.fixture(scope="module")
def interpreted() -> dict[str, dict[str, Any]]:
    names = ("second", "changed", "list", "tuned", "tuned, changed", "thread")
    return settle({name: {**REQUESTS[name], "compile": False} for name in names}, interpret=True)


def numbers(answer: dict[str, Any]) -> dict[str, Any]:
    return {argument["name"]: argument["value"] for argument in answer["arguments"] if "value" in argument}


def line_of(file: str, text: str) -> int:
    lines = (FILES / file).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def failure(answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = answer["failure"]
    assert "\n" not in found["message"]
    return found


def test_the_main_block_is_run_up_to_the_first_launch_of_a_kernel_of_the_file(answers: dict[str, Any]) -> None:
    answer = answers["first"]
    assert (answer["source"], answer["kernel"]["name"], answer["seed"]) == ("file", "scale_kernel", None)
    assert [site["kernel"] for site in answer["sites"]] == ["scale_kernel"]
    assert answer["grid"] == [16]
    assert numbers(answer) == {"factor": 3.0, "n": 1000}
    assert answer["constexprs"] == {"BLOCK": 64}
    assert answer["values"]["x_ptr"]["mean"] == 2.0
    assert set(answer["provenance"].values()) == {"captured"}


def test_arguments_are_the_files_own_tensors_and_numbers(answers: dict[str, Any]) -> None:
    x, y, out, n = answers["second"]["arguments"]
    assert (x["type"], x["shape"], x["strides"], x["bytes"]) == ("*fp16", [8, 2], [1, 8], 32)
    assert (y["type"], y["shape"], out["type"], n["value"]) == ("*fp32", [1000], "*fp16", 16)
    assert answers["second"]["site"] == 1
    assert answers["second"]["values"]["y_ptr"]["mean"] == 2.0, "what was launched before was to be dropped"


def test_sites_have_place_words_and_count(answers: dict[str, Any]) -> None:
    scaled, added, transposed, halved = answers["list"]["sites"]
    assert [site["number"] for site in (scaled, added, transposed, halved)] == [0, 0, 1, 1]
    assert (added["count"], transposed["count"]) == (3, 1)
    assert (added["line"], added["function"]) == (line_of(SEVERAL, "add_kernel[lambda"), "add")
    assert added["file"] == str(FILES / SEVERAL)
    assert added["arguments"] == {"x_ptr": "fp32[1000]", "y_ptr": "fp32[1000]", "out_ptr": "fp32[1000]", "n": "1000"}
    assert transposed["arguments"]["x_ptr"] == "fp16[8, 2] strides [1, 8]"
    assert (added["grid"], added["constexprs"], added["options"]) == ([4], {"BLOCK": 256}, {"num_warps": 2})
    assert halved["arguments"]["factor"] == "0.5", "do_bench calls what it is given"


def test_sites_come_as_an_event(answers: dict[str, Any]) -> None:
    events = answers["by name"]["events"]
    assert [event["event"] for event in events] == ["phase", "sites"]
    assert [site["kernel"] for site in events[1]["sites"]] == ["scale_kernel", "add_kernel"]


def test_constants_and_options_of_the_request_apply_and_the_grid_follows(answers: dict[str, Any]) -> None:
    answer = answers["changed"]
    assert (answer["constexprs"], answer["options"]["num_warps"]) == ({"BLOCK": 64}, 8)
    assert numbers(answer) == {"n": 10}
    assert answer["grid"] == [16], "from the tensor's 1000 elements and the new block"
    assert answer["sites"][1]["constexprs"] == {"BLOCK": 256}, "the site is what the file says"
    assert (answer["provenance"]["BLOCK"], answer["provenance"]["x_ptr"]) == ("given", "captured")
    assert answer["specialization"]["options"]["num_warps"] == 8
    assert '"ttg.num-warps" = 8' in {stage["name"]: stage.get("text") for stage in answer["stages"]}["ttgir"]


def test_the_grid_of_the_request_applies(answers: dict[str, Any]) -> None:
    assert answers["own grid"]["grid"] == [8, 3]
    unknown = failure(answers["unknown in grid"])
    assert unknown["kind"] == "usage" and "'BLOK'" in unknown["message"] and "'BLOCK'" in unknown["hint"]


def test_the_specialization_is_what_the_jit_compiled(answers: dict[str, Any]) -> None:
    found = answers["tuned, chosen"]["specialization"]
    assert found["signature"] == {
        "x_ptr": "*fp32", "y_ptr": "*fp32", "out_ptr": "*fp32", "n": "i32", "EVEN": "constexpr", "BLOCK": "constexpr",
    }  # fmt: skip
    assert found["constexprs"] == {"EVEN": False, "BLOCK": 64}
    assert found["attributes"]["n"] == {"tt.divisibility": 16}
    assert (found["configuration"], found["options"]["num_warps"]) == (2, 4)
    assert [stage["name"] for stage in answers["tuned, chosen"]["stages"]] == ["ttir", "ttgir", "llir", "ptx", "cubin"]


def test_an_autotuned_launch_takes_the_first_configuration_that_pruning_leaves(answers: dict[str, Any]) -> None:
    answer = answers["tuned"]
    assert (answer["configuration"], answer["constexprs"]["BLOCK"], answer["grid"]) == (1, 32, [3])
    assert answer["constexprs"]["EVEN"] is True
    assert answer["options"]["num_warps"] == 2
    assert answer["values"]["out_ptr"]["first"] == [0.0], "reset_to_zero"
    assert answer["values"]["y_ptr"]["first"] == [1.0], "the configuration's hook runs once"


def test_heuristics_and_grid_see_a_changed_block(answers: dict[str, Any]) -> None:
    answer = answers["tuned, changed"]
    assert answer["constexprs"] == {"BLOCK": 128, "EVEN": False}
    assert answer["grid"] == [1]


def test_a_configuration_that_is_not_there(answers: dict[str, Any]) -> None:
    found = failure(answers["tuned, not there"])
    assert found["kind"] == "usage" and "configurations 0 to 2" in found["message"]


def test_a_kernel_behind_a_decorator_of_the_files_own_is_found(answers: dict[str, Any]) -> None:
    sites = answers["list tuned"]["sites"]
    assert [(site["kernel"], site["number"]) for site in sites] == [
        ("fill_kernel", 0), ("sum_kernel", 0), ("sum_kernel", 1),
    ]  # fmt: skip
    assert sites[0]["line"] == line_of(TUNED, "fill[(1,)]")


def test_descriptors_and_tuples_are_captured_as_the_hook_leaves_them(answers: dict[str, Any]) -> None:
    pytest.importorskip("triton.tools.tensor_descriptor")
    answer, changed = answers["descriptor"], answers["descriptor, changed"]
    descriptor, pair = answer["arguments"]
    assert (descriptor["type"], descriptor["shape"]) == ("tensordesc<fp32[32, 64]>", [128, 64])
    assert changed["arguments"][0]["type"] == "tensordesc<fp32[64, 64]>"
    assert pair["value"] == "(fp32[128, 64], fp32[128, 64])"
    assert answer["specialization"]["attributes"]["pair.1"] == {"tt.divisibility": 16}
    assert (answer["grid"], changed["grid"]) == ([4], [2])


@pytest.mark.parametrize(
    ("name", "kind", "words", "hint"),
    [
        ("too many", "usage", "launches 'add_kernel' 2 times: there is no launch 2", "0 to 1"),
        ("no such constexpr", "usage", "add_kernel has no parameter 'BLOK'", "'BLOCK'"),
        ("no such option", "usage", "no option 'num_wraps'", "'num_warps'"),
        ("inputs for the file's", "usage", "--arg x_ptr", ""),
        ("entry misspelt", "usage", "no function 'launch_the_smal_one'", "'launch_the_small_one'"),
        ("entry with parameters", "usage", "needs_an_argument needs x", ""),
        ("process", "usage", "launches_in_a_process does not launch 'kernel'", ""),
        ("never", "usage", "does not launch 'never_launched'", ""),
        ("exits", "file", "before it launched 'kernel': stubborn: needs a second GPU", ""),
    ],
)
def test_what_does_not_fit_is_one_line(answers: dict[str, Any], name: str, kind: str, words: str, hint: str) -> None:
    found = failure(answers[name])
    assert found["kind"] == kind
    assert words in found["message"]
    assert hint in (found.get("hint") or "")


def test_an_error_of_the_file_is_at_its_line(answers: dict[str, Any]) -> None:
    raised, wrong = failure(answers["raises"]), failure(answers["wrong"])
    assert (raised["kind"], raised["line"]) == ("file", line_of(STUBBORN, "raise LookupError"))
    assert (wrong["kind"], wrong["line"]) == ("file", line_of(STUBBORN, "kernel[(1,)](X, BLOCK=32)"))
    assert "value" in wrong["message"]


def test_a_file_that_catches_everything_is_captured_all_the_same(answers: dict[str, Any]) -> None:
    answer = answers["caught"]
    assert numbers(answer) == {"value": 0.0}
    assert len(answer["sites"]) == 1
    assert "went on after the chosen launch" in answer["warnings"][0]


def test_a_launch_in_a_thread_is_captured(answers: dict[str, Any], interpreted: dict[str, Any]) -> None:
    assert answers["thread"]["grid"] == interpreted["thread"]["grid"] == [2]


def test_types_given_for_a_launch_of_the_file_are_said_not_to_count(answers: dict[str, Any]) -> None:
    assert any("do not count" in warning for warning in answers["types given"]["warnings"])


def test_an_entry_is_called(answers: dict[str, Any]) -> None:
    answer = answers["entry"]
    assert numbers(answer) == {"n": 100}
    assert len(answer["sites"]) == 1


def test_the_interpreter_gives_the_same_launches(answers: dict[str, Any], interpreted: dict[str, Any]) -> None:
    for name in ("second", "changed", "tuned", "tuned, changed"):
        for field in ("sites", "grid", "constexprs", "options", "configuration", "arguments", "kernel"):
            assert interpreted[name][field] == answers[name][field], (name, field)
    assert interpreted["list"] == answers["list"]


def test_launches_before_the_chosen_one_run_for_real(interpreted: dict[str, Any]) -> None:
    assert interpreted["second"]["values"]["y_ptr"]["mean"] == 6.0
    assert interpreted["tuned"]["values"]["x_ptr"]["first"] == [2.0] * 8


def test_without_a_gpu_a_launch_says_what_is_missing() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with Client() as client:
        for word in ("prepare_launch", "list_launches"):
            request = {"do": word, "path": str(FILES / SEVERAL), "kernel": None, "gpu": True, "device": 0,
                       "target": {"backend": "cuda", "arch": "sm_90", "warp_size": 32}}  # fmt: skip
            answer, _ = client.ask(interpreter.identify(None).python, request, lambda message: None, 120)
            assert answer["failure"]["kind"] == "missing"
            assert answer["failure"]["hint"]
