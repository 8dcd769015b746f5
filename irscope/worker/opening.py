"""The kernel that a request is about: its file loaded whole where that is safe and cheap, and in part otherwise.

A file whose imports are Python's, Triton's and its own is executed as ``import`` would. Any other one, and one that
would launch something or that fails, is executed in part (`irscope.worker.partial`), with what it imports put off
until a value is needed (`irscope.worker.deferred`): most need torch for their host code alone.
"""

from __future__ import annotations

import ast
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import alone, closures, deferred, inductor_files, loading, places, versions
from .jitted import Jitted, by_use, dotted, jit_names, jitted, named
from .needs import Needs, complete, notes_about
from .partial import Scope, Tree, parsed
from .protocol import Rejected, names_hint
from .statements import launches, nodes_run, statements_of


@dataclass
class Opened:
    """A kernel, ready to be compiled, and how it was come by."""

    kernel: loading.LoadedKernel
    #: Those of the file that a host can launch.
    names: list[str]
    notes: list[str] = field(default_factory=list)
    needs: Needs = field(default_factory=Needs)
    #: What the file itself says of the kernel's specialization, as `layers` has it.
    layer: dict[str, Any] | None = None


def open_kernel(path: Path, name: str | None, target: Any) -> Opened:
    """Load a file as far as one of its kernels needs it, with a stand-in for the GPU of ``target``.

    The stand-in stays until the next file is loaded: heuristics and functions that run at compile time may ask it.

    Raises:
        Rejected: there is no such kernel, or what it needs is missing.
        Exception: whatever the statements that it needs raise.
    """
    loading.forget_user_modules()
    loading.check_text(path)
    tree = parsed(path)
    functions = jitted(tree)
    names = [each.name for each in functions if not each.is_helper]
    is_whole = is_light(path, tree, set())
    stack = ExitStack()
    loading.at_next_file(stack.close)
    imports = deferred.Imports()
    stand_in(stack, imports, target)
    if not functions and name is None and is_whole:
        module = loading.import_file(path)
        return Opened(loading.choose(loading.kernels_of(module), None, path), names)
    chosen = chosen_function(functions, name, path, tree)
    failure: BaseException | None = None
    if is_whole and chosen is not None and not chosen.owners:
        try:
            kernel = loading.kernel_inside(vars(loading.import_file(path)).get(chosen.name))
            if kernel is not None:
                return Opened(kernel, names)
        except (Exception, SystemExit) as error:
            failure = error
        loading.forget_modules()
    part = Tree(imports)
    stack.callback(part.forget)
    loading.prepend_to_path(path, places.package_of(path)[0])
    scope = part.open(path)
    kernel = part_of(scope, tree, chosen, name or "")
    opened = Opened(kernel, names, part.notes)
    opened.needs = complete(kernel, part)
    if chosen is not None:
        opened.layer = inductor_files.layer_of(chosen, path)
    loading.note_files(part.files())
    if failure is not None:
        part.notes.insert(0, f"{path.name} does not load as a whole ({type(failure).__name__}: {failure})")
    part.notes.extend(notes_about(imports, opened.needs))
    done, total = len(scope.done), len(scope.statements)
    print(f"irscope: {path.name} was executed in part: {done} of {total} statements", file=sys.stderr)
    return opened


def stand_in(stack: ExitStack, imports: deferred.Imports, target: Any) -> None:
    """Have questions about the GPU answered for ``target``, by Triton's driver and by torch."""
    from .launch import standins

    imports.answers |= standins.torch_answers(target)
    stack.enter_context(versions.active_driver(standins.Driver(target)))
    replaced: list[str] = []

    def after_import(name: str) -> None:
        if name.partition(".")[0] == "torch" and not replaced:
            replaced.append(name)
            stack.enter_context(standins.replaced(standins.torch_replacements(target)))

    imports.on_import = after_import


def is_light(path: Path, tree: ast.Module, seen: set[Path]) -> bool:
    """Whether a file may be executed whole: its imports are Python's, Triton's or such files, and it launches nothing.

    Files beside it or of its package only, which Python finds as we do.
    """
    if launches(tree.body):
        return False
    for statement in statements_of(tree.body):
        for node in nodes_run(statement.node):
            if isinstance(node, ast.Import):
                modules = [(alias.name, 0) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [(node.module or "", node.level)]
            else:
                continue
            if not all(is_light_module(name, level, path, seen) for name, level in modules):
                return False
    return True


def is_light_module(name: str, level: int, importer: Path, seen: set[Path]) -> bool:
    top = name.partition(".")[0]
    if not level and places.is_pythons_or_tritons(top):
        return True
    roots = [importer.parents[level - 1]] if 0 < level <= len(importer.parents) else []
    roots = roots or [importer.parent, places.package_of(importer)[0]]
    place = next(
        (found for root in roots if (found := places.file_at(root.joinpath(*name.split(".")))) is not None), None
    )
    if place is None or (top in places.FIXED and not level):
        return False
    source = places.source_of(place)
    if source is None or source in seen:
        return True
    seen.add(source)
    try:
        return is_light(source, parsed(source), seen)
    except SyntaxError:
        return False


def part_of(scope: Scope, tree: ast.Module, chosen: Jitted | None, name: str) -> loading.LoadedKernel:
    """The kernel, after the statements that define it."""
    if chosen is None:
        kernel = loading.kernel_inside(getattr(scope.module, name, None))
        if kernel is None or kernel.is_helper:
            raise Rejected("no_kernel", f"'{name}' is not a kernel", file=str(scope.file))
        return kernel
    for owner in chosen.owners:
        scope = closures.scope_within(scope, owner, tree)
    name = chosen.name.rpartition(".")[2]
    failure: Exception | None = None
    try:
        if scope.ensure(name) and (kernel := loading.kernel_inside(scope.namespace[name])) is not None:
            return kernel
    except Rejected:
        raise
    except Exception as error:
        failure = error
    return alone.defined(chosen, scope, jit_names(tree), failure)


def calls_inductors_kernels(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.Call) and dotted(node.func) == "async_compile.triton" for node in ast.walk(tree))


def chosen_function(functions: list[Jitted], name: str | None, path: Path, tree: ast.Module) -> Jitted | None:
    """``None``: the file has the name, but from elsewhere."""
    kernels = [each for each in functions if not each.is_helper]
    if not kernels and name is None:
        hint = "a kernel is a function under @triton.jit that returns nothing"
        if calls_inductors_kernels(tree):
            hint = f"Inductor keeps its kernels in files of their own: irscope list {path.parent.parent}"
        raise Rejected("no_kernel", "no kernel in this file", file=str(path), hint=hint)
    if name is None:
        return by_use(functions)[0]
    found = named(kernels, name)
    if found is not None:
        return found
    hint = names_hint(name, [each.name for each in kernels])
    helper = named(functions, name)
    if helper is not None:
        why = "is a method of an object" if helper.is_method else "returns a value"
        message = f"'{name}' {why}, so it is a helper and not a kernel"
    elif any(name in statement.binds for statement in statements_of(tree.body)):
        return None
    else:
        message = f"no kernel '{name}' in this file"
    raise Rejected("no_kernel", message, file=str(path), hint=hint)
