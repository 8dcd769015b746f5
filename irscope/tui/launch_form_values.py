"""What the launch form asks, what is wrong with an answer, and the request that the answers make. No widgets here."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from irscope.launch.model import Launch, LaunchRequest, Reference, Site, Source
from irscope.model import Compilation
from irscope.report import launch as report
from irscope.tui.form_values import type_in_view

#: The answers of a choice, with their words.
Choices = Sequence[tuple[str, str]]

#: As the worker reads them (`irscope.worker.launch.inputs`), which has the last word.
KINDS = ("randn", "rand", "zeros", "ones", "arange", "full", "empty")
FILES = (".npy", ".pt", ".pth")
_MADE = re.compile(
    r"(?P<kind>[a-z]+)(?:(?<=full):(?P<fill>[^:]+))?(?::(?P<shape>[0-9]+(x[0-9]+)*))?(?::(?P<type>[A-Za-z]\w*))?"
)
_INPUT = "input:"
_SOURCES: Mapping[str, Source | None] = {"": None, "file": "file", "inputs": "inputs"}
_REFERENCES: Mapping[str, Reference | None] = {"": None, "interpreter": "interpreter", "file": "file"}


@dataclass(frozen=True, slots=True)
class Question:
    """One question of the form."""

    #: A key of the answers.
    key: str
    label: str
    value: str = ""
    placeholder: str = ""
    note: str = ""
    #: Where only some answers are possible.
    choices: Choices = ()


def questions(
    request: LaunchRequest, compilation: Compilation | None, last: Launch | None, sites: Sequence[Site]
) -> list[Question]:
    """What to ask, answered as ``request`` does.

    Args:
        last: the launch in view, whose arguments say what is made where nothing is said.
        sites: the file's own launches, as far as they are known.
    """
    return [
        Question(
            "where",
            "run on",
            "interpreter" if request.interpret else "gpu",
            choices=(("gpu", "the GPU"), ("interpreter", "Triton's interpreter, on the CPU: nothing is timed")),
        ),
        Question(
            "source",
            "arguments",
            request.source or "",
            choices=(
                ("", "the file's own launch, where it has any, else made"),
                ("file", "the file's own launch"),
                ("inputs", "made inputs"),
            ),
        ),
        launch_question(request, sites),
        Question("entry", "entry", request.entry or "", "the __main__ block", "a function to run"),
        *input_questions(request, compilation, last),
        Question("grid", "grid", request.grid or "", "the file's own, or guessed from sizes", "cdiv(n, BLOCK), 4"),
        Question("seed", "seed", str(request.seed), note="of made inputs"),
        Question("device", "GPU", str(request.device), note="its number, from 0"),
        Question(
            "autotune",
            "configuration",
            "yes" if request.autotune else "",
            choices=(("", "the one in view"), ("yes", "what the autotuner chooses")),
        ),
        Question(
            "check",
            "check",
            request.check or "",
            choices=(("", "none"), ("interpreter", "against Triton's interpreter"), ("file", "the file's own check")),
        ),
        Question("save", "save to", str(request.save or ""), "nowhere", "a folder, for .npy files"),
        Question(
            "timeout",
            "time limit",
            "" if request.compile.timeout is None else f"{request.compile.timeout:g}",
            "120",
            "seconds",
        ),
    ]


def launch_question(request: LaunchRequest, sites: Sequence[Site]) -> Question:
    """Which of the file's launches; a number while nothing has told of them."""
    own = [site for site in sites if site.kernel == request.compile.kernel]
    return Question(
        "number",
        "launch",
        str(request.number),
        note="of the file's own launches, from 0",
        choices=[(str(site.number), site_words(site)) for site in own],
    )


def site_words(site: Site) -> str:
    times = f", {site.count} times" if site.count > 1 else ""
    arguments = " ".join(f"{name}={value}" for name, value in site.arguments.items())
    return f"{site.number}: line {site.line} {site.function}, grid {report.grid_words(site.grid)}{times}: {arguments}"


def input_questions(request: LaunchRequest, compilation: Compilation | None, last: Launch | None) -> list[Question]:
    names = list(request.inputs)
    types: dict[str, str] = {}
    if compilation is not None and compilation.kernel.name == request.compile.kernel:
        names = [parameter.name for parameter in compilation.kernel.parameters if not parameter.constexpr]
        types = {name: type_in_view(name, compilation.specialization) for name in names}
    ran = {argument.name: argument for argument in last.arguments} if last is not None else {}
    asked = []
    for name in names:
        placeholder = "chosen to fit"
        if name in ran:
            shape, value = ran[name].shape, ran[name].value
            what = report.shape_words(shape) if shape is not None else str(value)
            placeholder = f"last time {what}, {ran[name].how}"
        asked.append(Question(_INPUT + name, name, request.inputs.get(name, ""), placeholder, types.get(name, "")))
    return asked


def problems(answers: Mapping[str, str]) -> dict[str, str]:
    """What is wrong, by the question's key; nothing where a launch can be tried."""
    found = {key: problem_of_input(text) for key, text in answers.items() if key.startswith(_INPUT) and text.strip()}
    for key in ("number", "seed", "device"):
        text = answers.get(key, "").strip()
        if not (text.isascii() and text.isdigit()):
            found[key] = "a whole number, from 0"
    entry, grid, limit = (answers.get(key, "").strip() for key in ("entry", "grid", "timeout"))
    if entry and not entry.isidentifier():
        found["entry"] = "the name of a function of the file"
    if grid:
        found["grid"] = problem_of_grid(grid)
    if limit and not is_seconds(limit):
        found["timeout"] = "a number of seconds above 0"
    save = answers.get("save", "").strip()
    if save and Path(save).expanduser().is_file():
        found["save"] = "this is a file, not a folder"
    if answers.get("source") == "file" and makes_inputs(answers):
        found["source"] = "the file's own launch brings its own tensors: leave the contents empty"
    return {key: problem for key, problem in found.items() if problem}


def makes_inputs(answers: Mapping[str, str]) -> bool:
    """Whether they say what tensors and numbers are to hold: only those that irscope makes can."""
    return any(text.strip() for key, text in answers.items() if key.startswith(_INPUT))


def problem_of_input(text: str) -> str:
    text = text.strip()
    if text.lower().endswith(FILES):
        return "" if Path(text).expanduser().is_file() else "there is no such file"
    if is_number(text):
        return ""
    made = _MADE.fullmatch(text)
    if made is None or made["kind"] not in KINDS:
        return f"a number, a file, or {', '.join(KINDS)} with :1024x1024 and :fp16"
    if made["kind"] == "full" and not is_number(made["fill"] or ""):
        return "full needs a number: full:2.5:1024"
    return "a size of 0" if made["shape"] and 0 in map(int, made["shape"].split("x")) else ""


def is_number(text: str) -> bool:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text.lower() in ("inf", "-inf", "nan")
    return value is None or isinstance(value, bool | int | float)


def problem_of_grid(text: str) -> str:
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return "up to three integers with commas, such as cdiv(n, BLOCK), 4"
    return "up to three integers" if isinstance(tree, ast.Tuple) and not 0 < len(tree.elts) <= 3 else ""


def is_seconds(text: str) -> bool:
    try:
        return 0 < float(text) < float("inf")
    except ValueError:
        return False


def request_from(base: LaunchRequest, answers: Mapping[str, str]) -> LaunchRequest:
    """The launch that the answers ask for; they have no `problems`."""
    said = {key: text.strip() for key, text in answers.items()}
    source = _SOURCES[said["source"]] or ("inputs" if makes_inputs(said) else None)
    return replace(
        base,
        compile=replace(base.compile, timeout=float(said["timeout"]) if said["timeout"] else None),
        source=source,
        entry=said["entry"] or None,
        number=int(said["number"]),
        inputs={key.removeprefix(_INPUT): text for key, text in said.items() if key.startswith(_INPUT) and text},
        grid=said["grid"] or None,
        seed=int(said["seed"]),
        device=int(said["device"]),
        autotune=bool(said["autotune"]),
        check=_REFERENCES[said["check"]],
        interpret=said["where"] == "interpreter",
        save=Path(said["save"]).expanduser() if said["save"] else None,
    )
