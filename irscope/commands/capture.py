"""``irscope capture PATH``: run a file's launch code, with no GPU if there is none, and list what it launches."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from irscope import captures, devices
from irscope.captures import CapturedLaunch
from irscope.commands import Progress, split_path
from irscope.model import InvalidTarget, Target
from irscope.report import capture as report
from irscope.request import usage_error


def run(arguments: argparse.Namespace) -> int:
    path, kernel = split_path(arguments.path)
    if not path.exists():
        raise usage_error(f"{path}: there is no such file")
    if path.suffix != ".py":
        raise usage_error(f"{path} is not a Python file", hint="capture runs Python code that launches kernels")
    if arguments.script_arguments and arguments.entry:
        raise usage_error("--entry and arguments of a script cannot both hold: a function is called with nothing")
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

    try:
        capture = captures.run(
            path,
            target,
            entry=arguments.entry,
            script_arguments=tuple(arguments.script_arguments) or None,
            python=Path(arguments.python) if arguments.python else None,
            timeout=arguments.timeout,
            gpu=bool(devices.devices()) and not arguments.no_gpu and not arguments.target,
            on_launch=counted,
        )
    finally:
        progress.done()
    if kernel is not None:
        capture = captures.only(capture, kernel)
    for line in report.summary(capture):
        print(f"irscope: warning: {line}", file=sys.stderr)
    if arguments.format == "json":
        print(json.dumps(report.document(capture), indent=2))
    elif capture.launches:
        print(report.table(capture))
    else:
        print(f"{path} launches {f'no {kernel}' if kernel else 'no kernel'}")
    return 0
