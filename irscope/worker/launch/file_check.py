"""The request ``check_against_file``: what the file's own code says about its kernels.

The file runs to its end, for real on a GPU, in Triton's interpreter without one, and what it compares is written
down on the way: `torch.allclose`, `torch.equal`, `torch.testing.assert_close`, numpy's ``assert_allclose`` and a
``check(name, got, want, limit)`` of a module ``harness``, as the sample kernels have it. A pass needs a comparison, or
an assertion about numbers; that a file ends well is not one.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .. import versions
from ..protocol import Wire
from . import capture, comparing, copies, faults, interpreter, redirect, standins, traced
from .interpret import DEFAULT_SECONDS, explained, require_interpreter
from .resolve import Call, Wanted

#: Lines of what the file printed last, and characters of each, that come back.
LAST_LINES = 12
LINE_LENGTH = 200

#: Functions in assertions that are about numbers computed, rather than about shapes and arguments.
ABOUT_RESULTS = frozenset(
    {
        "all", "allclose", "equal", "isclose", "array_equal", "any",
        "max", "maximum", "amax", "min", "abs", "norm", "dist", "sum", "mean", "item", "mse_loss",
    }
)  # fmt: skip


def check_against_file(request: dict[str, Any], wire: Wire) -> dict[str, Any]:
    """Answer with the fields of ``model.Check``, against "file".

    Raises:
        Rejected: kind "usage" for an entry that is not there; with a GPU what `faults` makes of its errors;
            without one what `redirect` and the interpreter refuse.
    """
    path = Path(request["path"])
    printed = wire.log_size()
    wire.send("phase", phase="checking")
    started = time.monotonic()
    wanted = Wanted(kernel=request.get("kernel"), number=None, configuration=request.get("configuration"))
    comparisons = Comparisons(path)
    stopped = False
    if request.get("gpu", True):
        faults.require_cuda(int(request.get("device") or 0))
        import torch

        with faults.told(wire, faults.Subject(str(path))), torch.cuda.device(int(request.get("device") or 0)):
            with comparisons.recorded():
                recording = capture.record(path, request.get("entry"), wanted)
            if recording.error is not None and faults.describe(recording.error, None, ""):
                raise recording.error
            torch.cuda.synchronize()
    else:
        require_interpreter()
        limit = float(request.get("seconds") or DEFAULT_SECONDS)
        with (
            redirect.redirected(versions.gpu_target(**request["target"])),
            comparisons.recorded(),
            interpreted(limit, wire),
        ):
            try:
                recording = capture.record(path, request.get("entry"), wanted, guarded)
            except traced.Stop:
                stopped = True
        if not stopped:
            stopped = isinstance(recording.error, traced.Stop)
        if not stopped and recording.error is not None:
            with explained(request.get("kernel") or path.stem):
                refuse(recording.error)
    seconds = time.monotonic() - started
    found = comparisons.found
    error = None if stopped else recording.error
    if stopped:
        # Samples compare first and time then, which here takes long and says nothing.
        passed = bool(found) and all(each["passed"] for each in found)
        done = "what it had compared by then counts" if found else "it had compared nothing by then"
        verdict = f"not compared to the end: the file's own code takes longer than {seconds:.0f} s here; {done}"
    elif error is not None:
        passed, verdict = False, ending(error)
    elif found:
        failed = [each["name"] for each in found if not each["passed"]]
        passed, verdict = not failed, f"it says that {', '.join(failed)} differ" if failed else ""
    elif not recording.sites:
        passed, verdict = False, "not compared: the file's own code launches nothing"
    elif asserts_about_results(path):
        passed, verdict = True, "its assertions hold; what they compare is not known"
    else:
        passed, verdict = False, "not compared: the file compares its results with nothing that irscope knows"
    # What it prints of its speed is of a benchmark that was told to run once: only a failure is worth quoting.
    said = [] if passed else last_lines(wire.logged_since(printed))
    return {
        "against": "file",
        "passed": passed,
        "comparisons": found,
        "seconds": seconds,
        "message": "\n".join(filter(None, [verdict, *said])) or None,
    }


def guarded(launch: Callable[[], Any], call: Call) -> Any:
    with traced.guarded(copies.tensors_of(call.arguments)):
        return launch()


def refuse(error: BaseException) -> None:
    """Raise what is a failure of this run and no answer of the file's: memory, or the interpreter's limits."""
    if isinstance(error, Exception) and traced.is_about_interpreter(error):
        raise error
    if type(error).__name__ == "Rejected":
        raise error


@contextlib.contextmanager
def interpreted(seconds: float, wire: Wire) -> Iterator[None]:
    """Within, launches in the interpreter end the file's code after so many seconds."""
    end = time.monotonic() + seconds
    programs = 0

    def begin() -> None:
        nonlocal programs
        programs += 1
        if time.monotonic() > end:
            raise traced.Stop

    with interpreter.repaired(), interpreter.before_each_program(begin):
        yield


def ending(error: BaseException) -> str:
    """What ended the file, in a line."""
    if isinstance(error, SystemExit):
        if isinstance(error.code, int):
            return f"the file ends with exit code {error.code}"
        return f"the file ends with: {first_line(str(error.code))}"
    place = traced.place(error)
    where = f" at line {place['line']}" if place else ""
    text = first_line(str(error))
    return f"{type(error).__name__}{where}{': ' + text if text else ''}"


def first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")[:LINE_LENGTH]


def last_lines(text: str) -> list[str]:
    lines = [line.rstrip()[:LINE_LENGTH] for line in text.splitlines() if line.strip()]
    return lines[-LAST_LINES:]


def asserts_about_results(path: Path) -> bool:
    """Whether an assertion of the file calls something that tells about computed numbers."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Assert):
            for call in ast.walk(node.test):
                name = getattr(call.func, "attr", getattr(call.func, "id", "")) if isinstance(call, ast.Call) else ""
                if name in ABOUT_RESULTS:
                    return True
    return False


class Comparisons:
    """The comparisons that the file makes, as fields of ``model.Comparison``.

    The error is ours, ``||got - want|| / ||want||``; the verdict and the tolerance are the file's.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: list[dict[str, Any]] = []
        self._within = False

    @contextlib.contextmanager
    def recorded(self) -> Iterator[None]:
        """Within, functions that compare write it down."""
        import torch

        compare = {
            (torch, "allclose"): 1e-5,
            (torch.Tensor, "allclose"): 1e-5,
            (torch, "equal"): 0.0,
            (torch.Tensor, "equal"): 0.0,
            (torch.testing, "assert_close"): None,
        }
        numpy_testing = sys.modules.get("numpy.testing")
        if numpy_testing is not None:
            compare[numpy_testing, "assert_allclose"] = 1e-7
        replacements = [
            (owner, name, self._watching(getattr(owner, name), name, default))
            for (owner, name), default in compare.items()
        ]
        with standins.replaced([*replacements, (builtins, "__import__", self._importing(builtins.__import__))]):
            yield

    def _watching(self, function: Callable[..., Any], name: str, default: float | None) -> Callable[..., Any]:
        def compare(got: Any = None, want: Any = None, *rest: Any, **named: Any) -> Any:
            got = named.pop("actual", named.pop("input", got))
            want = named.pop("expected", named.pop("desired", named.pop("other", want)))
            limit = named.get("rtol", rest[0] if rest and name != "assert_close" else default)
            return self._compare(function, self._title(name), got, want, limit, (got, want, *rest), named)

        return compare

    def _importing(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """In place of ``__import__``: a module ``harness`` of the user's gets its ``check`` watched."""

        def importing(*arguments: Any, **named: Any) -> Any:
            module = original(*arguments, **named)
            harness = sys.modules.get("harness")
            check = getattr(harness, "check", None)
            if callable(check) and not hasattr(check, "watched"):

                def watched(name: str, got: Any, want: Any, limit: float) -> Any:
                    return self._compare(check, name, got, want, limit, (name, got, want, limit), {})

                watched.watched = True  # type: ignore[attr-defined]
                harness.check = watched  # type: ignore[union-attr]
            return module

        return importing

    def _compare(self, function: Callable[..., Any], title: str, got: Any, want: Any, limit: Any,
                 arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:  # fmt: skip
        if self._within:
            return function(*arguments, **named)
        self._within = True
        passed = False
        try:
            result = function(*arguments, **named)
            passed = result is None or bool(result)
            return result
        finally:
            self._within = False
            self.found.append(self._described(title, got, want, limit, passed))

    def _described(self, title: str, got: Any, want: Any, limit: Any, passed: bool) -> dict[str, Any]:
        import torch

        described: dict[str, Any] = {"name": title, "error": None, "compared": 0, "elements": 0, "largest": None}
        with contextlib.suppress(Exception):
            ours, theirs = (torch.as_tensor(value).detach() for value in (got, want))
            limit = comparing.tolerance_of(ours.dtype) if limit is None else limit
            described["elements"] = ours.numel()
            if ours.shape == theirs.shape:
                described.update(comparing.compare(title, ours, theirs.to(ours.device), float(limit)))
        return {**described, "tolerance": float(limit or 0.0), "passed": passed}

    def _title(self, function: str) -> str:
        frame = capture.calling_frame(self.path)
        return function if frame is None else f"{function}, line {frame.f_lineno}"
