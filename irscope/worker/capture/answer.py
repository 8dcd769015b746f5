"""The request ``capture``: what a file, a function of it or a script launches, with a GPU or without one."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import loading, versions
from ..launch import faults, redirect, settle, standins
from ..protocol import Rejected, Wire
from . import assertions, pytest_stand_in, running, tensors
from .compiled_functions import CompiledFunctions
from .recorder import Recorder

#: What ends a test that says so.
SAID = (*pytest_stand_in.SKIPS, "XFailed")


def capture(request: dict[str, Any], wire: Wire) -> dict[str, Any]:
    """Answer a ``capture`` request: ``launches`` (`describe.launch`), ``ended``, ``parts``, ``warnings``, ``sources``.

    Each launch is told as the event ``launch`` when it is first made, for code that never comes to its end.
    ``ended`` is why the code did not come to its end, in one line, or ``None``.

    Raises:
        Rejected: the request does not fit, or torch is missing where the code imports it.
    """
    wire.send("phase", phase="loading")
    # Before anything is replaced: what is no installed package's is imported anew.
    loading.forget_user_modules()
    pytest_stand_in.install()
    path = Path(request["path"])
    gpu = bool(request.get("gpu"))
    ends: list[dict[str, Any]] = []
    first_error: list[BaseException] = []

    def told(launch: dict[str, Any]) -> None:
        wire.send("launch", launch=launch)

    recorder = Recorder(told, gpu)
    before = recorder.counts()
    checks = assertions.Checks()
    warnings: list[str] = []
    compiled = CompiledFunctions(recorder.note, gpu, warnings)

    def on_end(title: str, error: BaseException | None) -> bool:
        nonlocal before
        if not gpu and (checks.left_out(error) or compiled.left_out(error) or checks.rounds.left_out(error)):
            recorder.return_to(before)
            return True
        before = recorder.counts()
        skipped = type(error).__name__ in SAID
        if is_end(error, path) and checks.missing():
            error = None  # what was left out made no values, and the code says so at its end
        if error is not None and not skipped:
            first_error.append(error)
        ends.append({"part": title, "ended": in_words(error, path), "skipped": skipped})
        return False

    ended = None
    with contextlib.ExitStack() as stack:
        checks.missing, checks.rounds.reads = prepare(request, stack, recorder, compiled)
        stack.enter_context(recorder.installed())
        if not gpu:
            stack.enter_context(assertions.holding(checks))
        wire.send("phase", phase="capturing")
        try:
            with running.limited(request.get("seconds")):
                running.run(path, request, checks, on_end, warnings.append)
        except running.TimeUp:
            ended = f"its {request['seconds']:g} s were over"
    recorder.keep_what_was_launched_once()
    if not recorder.launches and first_error:
        raise settle.ended_early(first_error[0], path, "it launched a kernel")
    reasons = [end for end in ends if end["ended"] and not end["skipped"]]
    if ended is None and reasons:
        one = reasons[0]
        ended = one["ended"] if one["part"] == "__main__" else f"{one['part']}: {one['ended']}"
    return {
        "launches": recorder.launches,
        "ended": ended,
        "parts": ends,
        "warnings": list(dict.fromkeys(warnings)),
        "sources": sources(path, recorder),
    }


def prepare(
    request: dict[str, Any], stack: contextlib.ExitStack, recorder: Recorder, compiled: CompiledFunctions
) -> tuple[assertions.Missing, assertions.Reads]:
    """Enter what stands for a GPU where there is none.

    The answer tells whether values are missing by then, and how often the code has read any since.
    """
    if recorder.gpu:
        torch = faults.require_cuda(request.get("device") or 0)
        torch.cuda.set_device(request.get("device") or 0)
        from triton import testing

        changed = [(testing.Mark, "run", running.run_once), compiled.replacement(stack)]
        stack.enter_context(standins.replaced(changed))
        return standins.answering(False), standins.answering(0)
    target = versions.gpu_target(**request["target"])
    if importlib.util.find_spec("torch") is None:
        # Code that has tensors of its own kind, or only warms kernels up.
        stack.enter_context(versions.active_driver(standins.Driver(target)))
        stack.enter_context(standins.benchmarks_call_once())
        stack.enter_context(benchmarks_noticed())

        def launched() -> bool:
            return bool(recorder.launches)

        return launched, lambda: len(recorder.launches)
    mode = tensors.sparing()
    stack.enter_context(redirect.redirected(target, mode))
    compiled.target = target
    stack.enter_context(standins.replaced([*tensors.functions_of_the_user(), compiled.replacement(stack)]))
    stack.enter_context(benchmarks_noticed())
    mode.missing = lambda: bool(recorder.launches) or mode.has_no_values
    return mode.missing, lambda: mode.reads


@contextlib.contextmanager
def benchmarks_noticed() -> Iterator[None]:
    from triton import testing

    with standins.replaced([(testing.Mark, "run", running.run_once)]):
        yield


def is_end(error: BaseException | None, path: Path) -> bool:
    """Whether code ends itself by an exit code in its outermost lines: ``sys.exit(main())``."""
    trace = error.__traceback__ if isinstance(error, SystemExit) and isinstance(error.code, int) else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code.co_name == "<module>"


def in_words(error: BaseException | None, path: Path) -> str | None:
    """One line, with the line of the file that it comes from."""
    if error is None:
        return None
    text = settle.in_words(error) if not isinstance(error, Rejected) else str(error)
    line = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"{text} (line {line})" if line else text


def sources(path: Path, recorder: Recorder) -> list[dict[str, str]]:
    """The files that took part, with their SHA-256: the user's modules, and those that define a kernel."""
    files = {Path(source["path"]) for source in loading.source_files(path, [])}
    files |= {file for launch in recorder.launches if (file := Path(launch["file"])).is_file()}
    return [
        {"path": str(file), "sha256": hashlib.sha256(file.read_bytes()).hexdigest()} for file in sorted(files)
        if file.is_file()
    ]  # fmt: skip
