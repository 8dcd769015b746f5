"""A kernel's ``def`` executed by itself, with as much of its decorators and defaults as works here.

The last resort, for files that fail: a default out of another file that fails on this target, autotuning with a key
that is none of the parameters, heuristics that ask for what is not there.
"""

from __future__ import annotations

import ast
import copy
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import deferred, loading
from .jitted import Jitted, dialect_of, dotted
from .partial import Scope

#: Under which the function's statement finds a value that nothing gives.
UNKNOWN = "__value_that_nothing_gives__"


def defined(
    chosen: Jitted, scope: Scope, aliases: Mapping[str, str], failure: Exception | None
) -> loading.LoadedKernel:
    """The kernel, after what did not work was left out, which is told; ``failure`` is why it does not work whole.

    Raises:
        Exception: it does not work like this either.
    """
    name = chosen.name.rpartition(".")[2]
    function = copy.copy(chosen.function)
    function.decorator_list = []
    left: list[str] = []
    if failure is not None and arose_elsewhere(failure, scope):
        function.args, unset = with_defaults_that_work(function.args, scope)
        left += [f"the default of {each}" for each in unset]
    for decorator in reversed(chosen.decorators):
        if dialect_of([decorator], aliases) is not None:
            function.decorator_list.insert(0, decorator)
            continue
        working = next((each for each in forms_of(decorator) if works(each, function, scope)), None)
        if working is not None:
            function.decorator_list.insert(0, working)
        if working is not decorator:
            left.append(f"{ast.unparse(decorator)}{' whole' if working is not None else ''}")
    try:
        scope.execute(function)
    except Exception as error:
        raise failure or error from error
    why = f" ({type(failure).__name__}: {failure})" if failure else ""
    without = f", without {', '.join(left)}" if left else ""
    scope.tree.note(f"{name} was defined alone{without}{why}", scope.file)
    kernel = loading.kernel_inside(scope.namespace[chosen.function.name])
    assert kernel is not None
    return kernel


def arose_elsewhere(failure: Exception, scope: Scope) -> bool:
    """Whether the code of another file has failed, and not that of the kernel's own, which is its author's to mend."""
    frames = traceback.extract_tb(failure.__traceback__)
    return bool(frames) and Path(frames[-1].filename) != scope.file


def forms_of(decorator: ast.expr) -> Iterator[ast.expr]:
    """Triton's decorators as they are, and autotuning with its configurations alone; none of other people's."""
    named = dotted(decorator.func if isinstance(decorator, ast.Call) else decorator).rpartition(".")[2]
    if named not in ("autotune", "heuristics"):
        return
    yield decorator
    if named == "autotune" and isinstance(decorator, ast.Call):
        bare = copy.copy(decorator)
        bare.args = decorator.args[:1]
        bare.keywords = [each for each in decorator.keywords if each.arg == "configs"]
        bare.keywords.append(ast.keyword("key", ast.List([], ast.Load())))
        yield ast.fix_missing_locations(bare)


def works(decorator: ast.expr, function: ast.FunctionDef, scope: Scope) -> bool:
    """Whether the function is defined with it, outside those that it has already."""
    decorated = copy.copy(function)
    decorated.decorator_list = [decorator, *function.decorator_list]
    try:
        scope.execute(decorated)
    except Exception:
        return False
    return True


def with_defaults_that_work(arguments: ast.arguments, scope: Scope) -> tuple[ast.arguments, list[str]]:
    """Defaults that fail become values that nothing gives; and the names of their parameters."""
    changed = copy.copy(arguments)
    positional = [*arguments.posonlyargs, *arguments.args]
    names = [each.arg for each in positional[len(positional) - len(arguments.defaults) :]]
    unset: list[str] = []

    def working(name: str, default: ast.expr) -> ast.expr:
        try:
            scope.evaluate(default)
        except Exception:
            unset.append(name)
            scope.namespace[UNKNOWN] = deferred.unknown(scope.tree.imports, "a default that fails")
            return ast.copy_location(ast.Name(UNKNOWN, ast.Load()), default)
        return default

    changed.defaults = [working(name, each) for name, each in zip(names, arguments.defaults, strict=True)]
    changed.kw_defaults = [
        each if each is None else working(argument.arg, each)
        for argument, each in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    return changed, unset
