"""``irscope dump PATH``: compile a kernel, print and write what came of it."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path

from irscope import bundle, ir, ir_files, session
from irscope.commands import Progress, exit_code, request_from, tell_failure
from irscope.events import Event, WorkerStarted
from irscope.model import Compilation
from irscope.request import missing, usage_error


def run(arguments: argparse.Namespace) -> int:
    json_wanted = arguments.format == "json"
    if arguments.stage and json_wanted:
        raise usage_error("--stage prints one stage alone; with --format json use --text")
    for option, belongs in (("clean", arguments.stage), ("text", json_wanted)):
        if getattr(arguments, option) and not belongs:
            raise usage_error(f"--{option} goes with {'--stage' if option == 'clean' else '--format json'}")
    exact_wanted = arguments.correlation == "exact"
    if arguments.correlation != "none" and not (json_wanted or (exact_wanted and arguments.bundle)):
        raise usage_error("--correlation goes with --format json, or with --bundle")
    progress = Progress()

    def follow(event: Event) -> None:
        progress(event)
        if isinstance(event, WorkerStarted):
            # What the answer is written with loads while the worker loads Triton.
            importlib.import_module("irscope.report.summary")

    request = request_from(arguments)
    if is_tree(request.path):
        from irscope.commands import dump_tree

        return dump_tree.run(arguments, request)
    if arguments.jobs is not None:
        raise usage_error(f"--jobs goes with a directory, and {request.path} is none")
    try:
        compilation = session.open(request, follow)
        if exact_wanted:
            from irscope.exact import exact_edges

            progress.say("second compile, for exact edges")
            compilation = exact_edges(compilation, request, follow)
    finally:
        progress.done()
    if request.path.suffix != ".py" and request.kernel not in (None, compilation.kernel.name):
        raise usage_error(f"{request.path} has no kernel '{request.kernel}'", hint=f"it has {compilation.kernel.name}")
    from irscope.report.document import document, with_source

    for warning in compilation.warnings:
        print(f"irscope: warning: {warning}", file=sys.stderr)
    files = write_stages(compilation, Path(arguments.output)) if arguments.output else {}
    if arguments.bundle:
        write_bundle(compilation, Path(arguments.bundle))
    failure = compilation.failure
    if arguments.stage:
        if failure is None or arguments.stage in with_source(compilation):
            print_stage(compilation, arguments.stage, arguments.clean)
        if failure is None:
            return 0
        sys.stdout.flush()
        tell_failure(failure, "text")
        return exit_code(failure)
    from irscope.analysis.figures import figures

    found = figures(compilation)
    if json_wanted:
        if failure is not None:
            more = document(compilation, found, files, arguments.text, arguments.correlation)
            del more["error"]
            tell_failure(failure, "json", **more)
            return exit_code(failure)
        print(json.dumps(document(compilation, found, files, arguments.text, arguments.correlation), indent=2))
        return 0
    from irscope.report.summary import summary

    print(summary(compilation, found, files))
    if not arguments.output and sys.stdout.isatty():
        print("\n-o DIR writes the stages to files, --stage NAME prints one, --format json is for scripts")
    if failure is not None:
        sys.stdout.flush()
        tell_failure(failure, "text")
        if failure.detail and failure.kind != "file":
            print(failure.detail, file=sys.stderr)
        return exit_code(failure)
    return 0


def is_tree(path: Path) -> bool:
    """Whether a path is a folder of Python files, and not one that the compiler or irscope wrote."""
    return path.is_dir() and not bundle.is_bundle(path) and not ir_files.is_cache_entry(path)


def write_stages(compilation: Compilation, folder: Path) -> dict[str, Path]:
    """Every stage as a file of ``folder``, the kernel's Python too; by stage name, where it is."""
    from irscope.report.document import with_source

    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = {}
        for name, text in with_source(compilation).items():
            file = folder / bundle.stage_file(compilation, "py" if name == "source" else name)
            stage = compilation.stages.get(name)
            content = stage.data if stage is not None and stage.data is not None else (text or "").encode()
            file.write_bytes(content)
            files[name] = file
    except OSError as error:
        raise usage_error(f"-o {folder}: {error.strerror or error}") from error
    return files


def write_bundle(compilation: Compilation, path: Path) -> None:
    from irscope.launch import history

    try:
        bundle.write(replace(compilation, launches=history.of(compilation)), path)
    except OSError as error:
        raise usage_error(f"--bundle {path}: {error.strerror or error}") from error


def print_stage(compilation: Compilation, name: str, clean: bool) -> None:
    from irscope.report.document import with_source

    texts = with_source(compilation)
    if name not in texts:
        if name == "sass" and "cubin" in texts:
            raise missing(next(iter(compilation.warnings), "no SASS"))
        raise usage_error(f"--stage {name}: there is no such stage here", hint=f"there are {', '.join(texts)}")
    text = texts[name]
    if text is None:
        data = compilation.stages[name].data or b""
        if sys.stdout.isatty():
            raise usage_error(f"--stage {name} is binary", hint="send it to a file, or use -o DIR")
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        return
    if clean and name != "source":
        text = "\n".join(ir.clean(name, text).lines)
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
