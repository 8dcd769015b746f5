"""How a kernel will be specialized, as far as reading its file tells: autotuning, defaults, launches."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from operator import attrgetter
from typing import TypeGuard

from irscope.model import Kernel
from irscope.worker import jitted
from irscope.worker.jitted import Jitted, is_inductors

#: What stands for a file's own code outside of functions.
MAIN, MODULE = "__main__", "module level"


@dataclass(frozen=True, slots=True)
class LaunchSite:
    """A line with ``kernel[grid](...)``, and what it is in: a function, ``__main__``, or the module's own level."""

    line: int
    within: str


@dataclass(frozen=True, slots=True)
class Prospect:
    """What decides the values of a kernel's parameters.

    Attributes:
        configurations: how many `@triton.autotune` has; 0 without it, ``None`` where only running the file tells.
        computed: they are not written out, so that only running the file tells what they are.
        heuristics: parameters that `@triton.heuristics` gives.
        defaults: parameters that have one.
        launches: the file's own launches of it.
        reached: running the file's ``__main__`` block or its module level leads to one of them.
        captured: that is done without being asked for, since the file imports torch itself.
        called: another jit function of the file has its name; a helper, where nothing launches it.
        inductor: the kernel is Inductor's, which says what it compiled it for.
    """

    configurations: int | None
    computed: bool
    heuristics: int
    defaults: int
    launches: tuple[LaunchSite, ...]
    reached: bool
    captured: bool
    called: bool = False
    inductor: bool = False

    @property
    def is_helper(self) -> bool:
        return self.called and not self.launches

    def __str__(self) -> str:
        words = ["Inductor's triton_meta: captured"] if self.inductor else []
        if self.configurations != 0:
            words.append(f"autotune {counted(self.configurations, 'configuration')}{' (computed)' * self.computed}")
        if self.heuristics:
            words.append(counted(self.heuristics, "heuristic"))
        if self.defaults:
            words.append(counted(self.defaults, "default"))
        if self.launches:
            first, *others = self.launches
            more = f" and {len(others)} more" if others else ""
            how = ": captured" if self.captured else " (--capture runs it)" if self.reached else ""
            words.append(f"launch in {first.within} line {first.line}{more}{how}")
        if self.is_helper:
            words.append("called by other kernels")
        if not self.captured:
            words.append("the rest inferred" if words else "inferred")
        return ", ".join(words)


def counted(number: int | None, what: str) -> str:
    return f"{'some' if number is None else number} {what}{'' if number == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Launches:
    """Where a file launches what, and the functions that running it by itself reaches."""

    sites: Mapping[str, tuple[LaunchSite, ...]]
    reached: frozenset[str]
    imports_torch: bool


def launches_in(tree: ast.Module, kernels: Collection[ast.FunctionDef]) -> Launches:
    """``kernels`` are jit functions at module level: they launch nothing."""
    sites: dict[str, list[LaunchSite]] = {}
    mentions: dict[str, set[str]] = {}
    for within, body in blocks(tree.body, kernels):
        names = mentions.setdefault(within, set())
        nodes = (node for statement in body for node in jitted.walk(statement))
        if within == MODULE:
            # What is only named there, as in ``forward = Function.apply``, does not run.
            nodes = (node for call in nodes if isinstance(call, ast.Call) for node in jitted.walk(call))
        for node in nodes:
            if isinstance(node, ast.Name):
                names.add(node.id)
            elif isinstance(node, ast.Attribute):
                names.add(node.attr)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Subscript):
                launched = jitted.dotted(node.func.value).rpartition(".")[2]
                sites.setdefault(launched, []).append(LaunchSite(node.lineno, within))
    reached, waiting = {MAIN, MODULE}, [MAIN, MODULE]
    while waiting:
        for name in mentions.get(waiting.pop(), set()) & mentions.keys() - reached:
            reached.add(name)
            waiting.append(name)
    return Launches(
        {name: tuple(sorted(set(there), key=attrgetter("line"))) for name, there in sites.items()},
        frozenset(reached),
        imports_torch(tree),
    )


def imports_torch(tree: ast.Module) -> bool:
    """Whether importing the file imports torch, as far as its own statements say."""
    run = [node for node in tree.body if not is_main(node) and not is_for_type_checkers(node)]
    modules = [
        name
        for node in jitted.statements(run)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names])
    ]
    return any(name.partition(".")[0] == "torch" for name in modules)


def is_main(node: ast.stmt) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def is_for_type_checkers(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and jitted.dotted(node.test).rpartition(".")[2] == "TYPE_CHECKING"


def blocks(body: list[ast.stmt], kernels: Collection[ast.FunctionDef]) -> Iterator[tuple[str, list[ast.stmt]]]:
    """The functions and classes of a file and its own statements, which are in ``__main__`` or at module level."""
    for node in body:
        if isinstance(node, jitted.Owner):
            if node not in kernels:
                yield node.name, [node]
        elif is_main(node):
            yield MAIN, node.body
        elif isinstance(node, jitted.BLOCKS):
            for inner in jitted.bodies(node):
                yield from blocks(inner, kernels)
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            yield MODULE, [node]


def prospect_of(kernel: Kernel, found: Jitted, launched: Launches, called: Collection[str]) -> Prospect:
    sites = launched.sites.get(kernel.name.rpartition(".")[2], ())
    known = len(kernel.configurations)
    reached = any(site.within in launched.reached for site in sites)
    return Prospect(
        configurations=known if kernel.configurations_known else configuration_count(found),
        computed=not kernel.configurations_known,
        heuristics=len(kernel.heuristics),
        defaults=sum(parameter.default is not None for parameter in kernel.parameters),
        launches=sites,
        reached=reached,
        captured=reached and launched.imports_torch,
        called=found.function.name in called,
        inductor=any(is_inductors(decorator) for decorator in found.decorators),
    )


def configuration_count(found: Jitted) -> int | None:
    """How many configurations a comprehension over written-out values makes."""
    for decorator in found.decorators:
        if isinstance(decorator, ast.Call) and jitted.dotted(decorator.func).rpartition(".")[2] == "autotune":
            listed = next((k.value for k in decorator.keywords if k.arg == "configs"), None)
            listed = listed or (decorator.args[0] if decorator.args else None)
            if isinstance(listed, ast.ListComp) and not any(loop.ifs for loop in listed.generators):
                lengths = [length_of(loop.iter) for loop in listed.generators]
                return prod(lengths) if None not in lengths else None  # type: ignore[arg-type]
    return None


def length_of(node: ast.expr) -> int | None:
    if isinstance(node, ast.List | ast.Tuple):
        return len(node.elts)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        numbers = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, int)]
        return len(range(*numbers)) if len(numbers) == len(node.args) else None
    return None
