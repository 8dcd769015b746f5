"""Loops that go on until a value says so: where no launch has made the value, they go round more than once.

A script that works on a GPU seldom leaves such a loop in its first round, as zeros would have it: a model generates
more than one token, an iteration does not converge at once.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable
from typing import Any

from .pytest_stand_in import SKIPS

#: In the user's modules, what the test of a loop and of each ``if`` that leaves one ask, and how much was read by then.
ASKED_WHETHER_TO_STAY = "__irscope_stays__"
ASKED_HOW_MUCH_WAS_READ = "__irscope_reads__"

#: Rounds more that one statement gets: enough for a number that is counted to be a multiple of 16.
ROUNDS = 32

_READING = ("item", "tolist", "numpy")


class Rounds:
    """Which loops are not left, and how often. ``reads`` counts the values read since some are missing."""

    def __init__(self) -> None:
        self.reads: Callable[[], int] = lambda: 0
        #: Whether loops are left as their values say, since code that stayed in them failed.
        self.given_up = False
        self._stayed: Counter[tuple[str, int]] = Counter()

    def left_out(self, error: BaseException | None) -> bool:
        """Whether code that failed has stayed in a loop, and is to be run once more without."""
        if error is None or type(error).__name__ in SKIPS or not self._stayed or self.given_up:
            return False
        self.given_up = True
        return True

    def stays(self, file: str, reads: int, value: Any, line: int, staying: bool, of_read: bool) -> bool:
        """What a test is taken for. ``reads``: the count before it; ``staying``: its answer that goes on with the loop;

        ``of_read``: it is about a variable that was read from a tensor before.
        """
        answer = bool(value)
        now = self.reads()
        is_count = type(value) is int
        if answer is staying or self.given_up or is_count or not (now > reads or (of_read and now)):
            return answer
        if self._stayed[file, line] >= ROUNDS:
            return answer
        self._stayed[file, line] += 1
        return staying


class Loops(ast.NodeTransformer):
    """Wraps what may end a loop by a value, each operand of ``and`` and ``or`` by itself."""

    def __init__(self) -> None:
        self._read_names: list[set[str]] = [set()]
        self._depth = 0

    def visit_Module(self, node: ast.Module) -> ast.AST:
        self._read_names = [names_read(node)]
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        depth, self._depth = self._depth, 0
        self._read_names.append(names_read(node))
        visited = self.generic_visit(node)
        self._read_names.pop()
        self._depth = depth
        return visited

    def visit_For(self, node: ast.For) -> ast.AST:
        return self._within(node)

    def visit_While(self, node: ast.While) -> ast.AST:
        node.test = self._asking(node.test, True, self._read_names[-1])
        return self._within(node)

    def visit_If(self, node: ast.If) -> ast.AST:
        self.generic_visit(node)
        if self._depth:
            for statements, leaves_when in ((node.body, True), (node.orelse, False)):
                if statements and isinstance(statements[-1], ast.Break | ast.Return):
                    node.test = self._asking(node.test, not leaves_when, self._read_names[-1])
                    break
        return node

    def _within(self, node: ast.For | ast.While) -> ast.AST:
        self._depth += 1
        visited = self.generic_visit(node)
        self._depth -= 1
        return visited

    def _asking(self, test: ast.expr, staying: bool, read: set[str]) -> ast.expr:
        if isinstance(test, ast.BoolOp):
            test.values = [self._asking(value, staying, read) for value in test.values]
            return test
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test.operand = self._asking(test.operand, not staying, read)
            return test
        if isinstance(test, ast.Constant) or is_about_a_count(test):
            return test
        of_read = any(isinstance(part, ast.Name) and part.id in read for part in ast.walk(test))
        reads = ast.Call(ast.Name(ASKED_HOW_MUCH_WAS_READ, ast.Load()), [], [])
        more = [ast.Constant(value) for value in (test.lineno, staying, of_read)]
        call = ast.Call(ast.Name(ASKED_WHETHER_TO_STAY, ast.Load()), [reads, test, *more], [])
        return ast.fix_missing_locations(ast.copy_location(call, test))


def is_about_a_count(test: ast.expr) -> bool:
    """``n == 0``: how many there are, which may be the next launch's size, so that no round is made with none."""
    if not isinstance(test, ast.Compare) or not isinstance(test.comparators[0], ast.Constant):
        return False
    return isinstance(test.left, ast.Name) and test.comparators[0].value in (0, 1)


def names_read(scope: ast.Module | ast.FunctionDef) -> set[str]:
    """Variables that are assigned what was read from a tensor, or what was computed of that."""
    assigned = [
        (target, node.value)
        for node in ast.walk(scope)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    found: set[str] = set()
    while True:
        more = {target.id for target, value in assigned if is_read(value, found)} - found
        if not more:
            return found
        found |= more


def is_read(value: ast.expr, names: set[str]) -> bool:
    for part in ast.walk(value):
        if isinstance(part, ast.Name) and part.id in names:
            return True
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in _READING:
            return True
    return False
