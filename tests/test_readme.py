"""The README's commands are those of the program: each is read by the real parser, its files exist."""

from __future__ import annotations

import ast
import re
import shlex
from typing import TypeGuard

import pytest
from samples import ROOT

from irscope.cli import COMMANDS, parser, read
from irscope.commands.capture import asked

README = (ROOT / "README.md").read_text(encoding="utf-8")

#: What a reader puts in its place.
PLACEHOLDERS = ("~/.triton/cache/ENTRY", "kernel.cubin", "matmul.irscope")


def commands() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    lines = [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()]
    words = [shlex.split(part) for line in lines for part in line.split("&&") if part]
    return [found[found.index("irscope") :] for found in words if "irscope" in found]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_irscope_command_is_one(words: list[str]) -> None:
    arguments = words[1:]
    if arguments[0] not in COMMANDS:
        arguments.insert(0, "open")
    parsed = read(parser(), arguments)
    path = asked(parsed).path if parsed.command == "capture" else getattr(parsed, "path", None)
    if path is not None and path not in PLACEHOLDERS:
        assert (ROOT / path.partition("::")[0]).exists()
    if parsed.command == "capture" and parsed.entry is not None:
        functions = {node.name: node for node in ast.parse((ROOT / path).read_bytes()).body if is_function(node)}
        assert functions[parsed.entry].args.args == [], "an entry is called with nothing"


def is_function(node: ast.stmt) -> TypeGuard[ast.FunctionDef]:
    return isinstance(node, ast.FunctionDef)


def test_files_that_the_readme_links_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_every_shared_option_is_in_the_readme() -> None:
    for option in ("--target", "--num-warps", "--option", "--signature", "--arg", "--const", "--config", "--python",
                   "--timeout", "--fresh", "--stage", "--format", "--correlation", "--bundle", "--watch"):  # fmt: skip
        assert option in README, option
