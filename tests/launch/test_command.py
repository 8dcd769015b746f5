"""The command line that makes a launch again: the command itself reads it back."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from irscope import cli
from irscope.commands.launch import launch_request
from irscope.launch import command
from irscope.launch.model import LaunchRequest
from irscope.request import Request

FILE = Path("a folder/kernels.py").absolute()
KERNEL = Request(FILE, "add")


@pytest.mark.parametrize(
    "request_",
    [
        LaunchRequest(KERNEL),
        LaunchRequest(Request(FILE)),
        LaunchRequest(KERNEL, source="file", entry="main", number=2, device=1),
        LaunchRequest(KERNEL, source="inputs", inputs={"x": "full:-1:8x8", "n": "64"}, grid="cdiv(n, 8), 4", seed=3),
        LaunchRequest(Request(FILE, "add", constants={"BLOCK": "64"}, options={"num_warps": "8"}), autotune=True),
        LaunchRequest(Request(FILE, "add", arguments={"x": "*fp16:16"}, configuration=2, options={"maxnreg": "64"})),
        LaunchRequest(Request(FILE, "add", signature="*fp32:16, i32, 64", options={"enable_fp_fusion": "False"})),
        LaunchRequest(Request(FILE, "add", python=Path(sys.executable))),
    ],
)  # fmt: skip
def test_it_is_the_same_launch(request_: LaunchRequest) -> None:
    words = list(command.launch_words(request_))
    assert launch_request(cli.parser().parse_args(["launch", *words])) == request_
    if sys.platform == "win32":
        assert command.again(request_) == subprocess.list2cmdline(["irscope", "launch", *words])
    else:
        assert shlex.split(command.again(request_)) == ["irscope", "launch", *words]
