"""What the launch panel says of a launch, and what its form takes: no screen needed."""

from dataclasses import replace
from pathlib import Path

import pytest

from irscope.launch.model import Argument, Check, Comparison, Figures, Launch, LaunchRequest, Output, Timing
from irscope.model import Failure, Kernel, Parameter, Specialization
from irscope.report import launch as report
from irscope.request import Request
from irscope.tui import launch_form_values as form
from irscope.tui import launch_text

FIGURES = Figures(32, 0, 0, 1024, None, 8)
OUTPUT = Output("out", "fp32", (8,), 8, 8, False, 0.0, 1.0, 0.5, 0, 0, (0.0, 1.0))
LAUNCH = Launch(
    file="kernels.py",
    kernel="add",
    when="2026-11-23T10:00:00+00:00",
    source="inputs",
    specialization=Specialization({"x": "*fp32"}, {"BLOCK": 128}, {"x": {"tt.divisibility": 16}}, {"num_warps": 4}),
    grid=(8, 1, 1),
    arguments=(Argument("x", "*fp32", (8,), (1,), 32, None, "randn"),),
    seed=3,
    timing=Timing("events", 20.0, 19.0, 21.0, 100),
    outputs=(OUTPUT,),
    driver=FIGURES,
    static=FIGURES,
)
KERNEL = Kernel("kernels.py", "add", parameters=(Parameter("x"), Parameter("BLOCK", constexpr=True)))
EVERYTHING = 10_000


def line(text: str, part: str) -> str:
    return next(line for line in text.splitlines() if part in line)


def tables(launch: Launch, earlier: tuple[Launch, ...] = (), width: int = 60) -> str:
    return "\n".join(column.plain for column in launch_text.columns(launch, earlier, width))


def test_two_columns_where_both_fit() -> None:
    assert len(launch_text.columns(LAUNCH, (), EVERYTHING)) == 2
    (one,) = launch_text.columns(LAUNCH, (), 60)
    left, right = launch_text.columns(LAUNCH, (), EVERYTHING)
    assert sorted(one.plain.split()) == sorted((left.plain + "\n" + right.plain).split())


@pytest.mark.parametrize("wrong", [{"registers": 33}, {"shared_dynamic_bytes": 0}, {"blocks_per_sm": 7}])
def test_a_figure_that_is_not_the_drivers_is_an_error(wrong: dict[str, int]) -> None:
    assert "✗" not in tables(LAUNCH)
    shown = tables(replace(LAUNCH, static=replace(FIGURES, **wrong)))
    assert line(shown, report.FIGURES[next(iter(wrong))]).startswith("✗")
    assert report.WRONG in shown
    assert shown.count("✗") == 1
    assert "✗ driver" in launch_text.headline(replace(LAUNCH, static=replace(FIGURES, **wrong))).plain


@pytest.mark.parametrize(
    ("changes", "mark"),
    [
        ({}, "✓"),
        ({"nan": 1}, "!"),
        ({"inf": 2}, "!"),
        ({"written": 7}, "!"),
        ({"outside": 1}, "✗"),
        ({"written": None}, "✓"),
    ],
)
def test_outputs_have_a_mark(changes: dict[str, int], mark: str) -> None:
    assert line(tables(replace(LAUNCH, outputs=(replace(OUTPUT, **changes),))), "fp32  8").startswith(mark)


@pytest.mark.parametrize("passed", [True, False])
def test_the_verdict_of_a_check_has_a_mark(passed: bool) -> None:
    good, other = Comparison("a", 1e-6, 1e-5, True, 8, 8), Comparison("b", 1e-1, 1e-5, passed, 4, 8)
    shown = tables(replace(LAUNCH, check=Check("interpreter", passed, (good, other))))
    assert line(shown, "a: error").startswith("✓")
    assert line(shown, "b: error").startswith("✓" if passed else "✗")
    assert line(shown, "check against").startswith("✓" if passed else "✗")


def test_earlier_launches_with_their_ratio() -> None:
    before = replace(LAUNCH, timing=replace(LAUNCH.timing, median=40.0), when="2026-11-23T09:00:00+00:00")  # type: ignore[type-var]
    assert "0.50" in line(tables(LAUNCH, (before,)), "40.00 µs")
    assert "0.50 times the one before" in launch_text.headline(LAUNCH, (before,)).plain


def test_earlier_launches_say_what_differs() -> None:
    """Of a dozen constants that all are the same, nobody finds the one that is not."""
    chosen = replace(LAUNCH.specialization, options={"num_warps": 8, "num_stages": 3})
    before = replace(LAUNCH, specialization=chosen)
    shown = report.history_table(LAUNCH, (before, LAUNCH))
    assert line(shown, "num_warps=8").endswith("1.00  num_warps=8 num_stages=3")
    assert shown.splitlines()[1].endswith("with the same options")


def test_arguments_of_1_are_no_options() -> None:
    one = Argument("stride", "i32", value=1)
    constexprs = {"stride": 1, "BLOCK": 128}
    launch = replace(LAUNCH, arguments=(one,), specialization=replace(LAUNCH.specialization, constexprs=constexprs))
    assert report.options_words(launch) == "BLOCK=128 num_warps=4"


def test_the_spread_of_what_events_are_exact_to_is_not_wide() -> None:
    assert not Timing("events", 9.25, 8.67, 9.63, 1000).wide
    assert Timing("events", 9.25, 8.5, 9.75, 1000).wide
    assert Timing("graph", 9.25, 8.67, 9.63, 1000).wide


@pytest.mark.parametrize("width", [60, 76])
def test_nothing_of_speed_and_outputs_passes_a_narrow_panel(width: int) -> None:
    launch = replace(LAUNCH, bytes=1 << 30, flops=1e12, flops_type="fp16", outputs=(replace(OUTPUT, name="o" * 9),))
    speed = launch_text.speed_of(launch, width)
    assert max(len(line) for line in speed.plain.splitlines()) <= width
    assert speed.plain.split() == launch_text.speed_of(launch).plain.split()
    outputs = launch_text.outputs_of(launch.outputs, width).plain
    assert outputs.count("0 1") == 1
    if width == 60:
        assert line(outputs, "0 1").split() == ["NaN", "0", "Inf", "0", "first", "0", "1"]
        assert max(len(line) for line in outputs.splitlines()) <= width


def test_a_check_without_an_answer_says_why() -> None:
    without = replace(LAUNCH, check=Check("file", False, message="the file compares nothing"))
    assert "the file compares nothing" in launch_text.notes_of(without).plain


@pytest.mark.parametrize(
    ("microseconds", "words"),
    [
        (0.5, "0.50 µs"),
        (9.312, "9.31 µs"),
        (21.44, "21.4 µs"),
        (214.3, "214 µs"),
        (999.6, "1.00 ms"),
        (123456, "123 ms"),
    ],
)
def test_brief_times(microseconds: float, words: str) -> None:
    assert launch_text.brief_time(microseconds) == words


def test_differences_name_what_ran_and_what_is_in_view() -> None:
    viewed = LAUNCH.specialization
    assert launch_text.differences(LAUNCH, KERNEL, viewed, "sm_90") == []
    other = Specialization({"x": "*fp16"}, {"BLOCK": 64}, {}, {"num_warps": 8})
    found = launch_text.differences(LAUNCH, KERNEL, other, "sm_90")
    assert found == ["BLOCK 128 (here 64)", "num_warps 4 (here 8)", "x *fp32:16 (here *fp16)"]
    # The interpreter knows no options.
    without = replace(LAUNCH, specialization=replace(viewed, options={}))
    assert launch_text.differences(without, KERNEL, replace(viewed, options={"num_warps": 8}), "sm_90") == []


@pytest.mark.parametrize(
    ("hint", "command"),
    [
        ("run `pip install torch`, say", "pip install torch"),
        ("compute-sanitizer x", "compute-sanitizer x"),
        ("a ` b", "a ` b"),
    ],
)
def test_the_command_of_a_hint(hint: str, command: str) -> None:
    assert launch_text.command_in(hint) == command


def test_a_failure_names_its_place() -> None:
    failure = Failure("fault", "an illegal access", file="k.py", line=3, hint="look", detail="log")
    shown = launch_text.failure_of(failure).plain
    assert "k.py:3" in shown
    assert "try: look" in shown
    assert shown.endswith("log")
    assert "try: smaller blocks" in launch_text.failure_of(replace(failure, hint="try smaller blocks")).plain


# The form's answers

REQUEST = LaunchRequest(Request(Path("kernels.py"), "add"))


def answers(**changes: str) -> dict[str, str]:
    said = {question.key: question.value for question in form.questions(REQUEST, None, None, ())}
    return {**said, **{key.replace("input_", "input:"): value for key, value in changes.items()}}


def test_what_was_not_changed_is_the_request_again() -> None:
    assert form.problems(answers()) == {}
    assert form.request_from(REQUEST, answers()) == REQUEST


def test_contents_mean_made_inputs() -> None:
    assert form.request_from(REQUEST, answers(input_x="randn:8")).source == "inputs"
    assert form.request_from(REQUEST, answers(grid="4")).source is None
    assert form.request_from(REQUEST, answers(source="file")).source == "file"
    assert set(form.problems(answers(source="file", input_x="randn:8"))) == {"source"}


@pytest.mark.parametrize(
    "text",
    [
        "randn",
        "randn:8",
        "randn:8x16:fp16",
        "rand:fp16",
        "full:2.5:64",
        "full:-1",
        "4096",
        "1e-5",
        "None",
        "True",
        "inf",
    ],
)
def test_contents_that_the_worker_takes(text: str) -> None:
    assert form.problem_of_input(text) == ""


@pytest.mark.parametrize(
    "text", ["random", "randn:", "randn:0", "full", "full:x", "randn:8:fp16:9", "nowhere.npy", "[1]"]
)
def test_contents_that_it_does_not(text: str) -> None:
    assert form.problem_of_input(text)


@pytest.mark.parametrize("text", ["4", "cdiv(n, BLOCK), 4", "n // 2", "1, 2, 3"])
def test_grids(text: str) -> None:
    assert form.problem_of_grid(text) == ""


@pytest.mark.parametrize("text", ["cdiv(", "1, 2, 3, 4", "()", "a b"])
def test_no_grids(text: str) -> None:
    assert form.problem_of_grid(text)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("seed", "x"),
        ("device", "-1"),
        ("number", ""),
        ("timeout", "0"),
        ("timeout", "inf"),
        ("entry", "a b"),
        ("save", __file__),
    ],
)
def test_other_wrong_answers(key: str, text: str) -> None:
    assert set(form.problems(answers(**{key: text}))) == {key}
