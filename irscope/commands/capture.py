"""``irscope capture PATH``: run a file's launch code, with no GPU if there is none, and list what it launches."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from irscope import captured, captures, devices
from irscope.captured import CapturedLaunch
from irscope.cli import INTERRUPTED
from irscope.commands import Progress, split_path
from irscope.commands.typed import Script, script_of
from irscope.model import InvalidTarget, Target
from irscope.report import capture as report
from irscope.request import usage_error


def run(arguments: argparse.Namespace) -> int:
    script = asked(arguments)
    path, kernel = split_path(script.path)
    if not path.exists():
        raise usage_error(f"{path}: there is no such file")
    if path.suffix != ".py":
        raise usage_error(f"{path} is not a Python file", hint="capture runs Python code that launches kernels")
    if arguments.entry and (script.arguments is not None or script.tests is not None):
        raise usage_error("--entry and a script cannot both hold: a function is called with nothing")
    try:
        target = Target.parse(arguments.target) if arguments.target else devices.default_target()
    except InvalidTarget as error:
        raise usage_error(f"--target: {error}") from error
    progress = Progress()
    progress.say("running the launch code")
    found = 0

    def counted(launch: CapturedLaunch) -> None:
        nonlocal found
        found += 1
        progress.say(f"{found} specializations, the last of {launch.kernel}")

    python = Path(arguments.python) if arguments.python else script.python
    code = 0
    try:
        capture = captures.run(
            path,
            target,
            entry=arguments.entry,
            script_arguments=script.arguments,
            tests=script.tests,
            python=python,
            timeout=arguments.timeout,
            gpu=bool(devices.devices()) and not arguments.no_gpu and not arguments.target,
            on_launch=counted,
        )
    except captures.Stopped as stopped:
        capture, code = stopped.capture, INTERRUPTED
    finally:
        progress.done()
    if kernel is not None:
        capture = captured.only(capture, kernel)
    for line in (*script.warnings, *report.summary(capture)):
        print(f"irscope: warning: {line}", file=sys.stderr)
    if arguments.format == "json":
        print(json.dumps(report.document(capture), indent=2))
    elif capture.launches:
        print(report.table(capture))
    else:
        print(f"{path} launches {f'no {kernel}' if kernel else 'no kernel'}")
    return code


def asked(arguments: argparse.Namespace) -> Script:
    """What is to be run: a file, or with more words or dashes before them a script."""
    before = [arguments.path, *arguments.words] if arguments.path is not None else []
    words = [*before, *(arguments.command_line or ())]
    if not words:
        raise usage_error("capture needs a file: irscope capture PATH, or irscope capture -- SCRIPT ARGS")
    if len(words) == 1 and arguments.command_line is None:
        return Script(words[0])
    return script_of(words)
