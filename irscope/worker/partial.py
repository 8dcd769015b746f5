"""A file executed in part: the statements that a name needs, and no others, each when it is needed.

What runs is compiled from the file's own tree, so line numbers and `inspect.getsource` are those of the file. A name
that a running function or statement looks up and that is not there yet brings in the statements that bind it; imports
of files of the tree are executed in part too, and a package's ``__init__`` where a name of its own is asked for.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from . import deferred, places, reexported
from .protocol import Rejected
from .statements import Statement, statements_of

#: Beyond all statements of a block.
END = sys.maxsize


class LookUp(dict[str, Any]):
    """``__builtins__`` of a scope: Python asks here for a global name that it does not find."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(vars(builtins), __import__=scope.import_)
        self.scope = scope
        around: Scope | None = scope
        while around is not None:
            for name in around.about.keys() & self.keys():
                del self[name]  # a name of the file's own, which hides Python's once it has been reached
            around = around.parent

    def __missing__(self, name: str) -> Any:
        # Triton asks in this way for what a kernel closes over, by the names of attributes too: nothing needs those.
        if sys._getframe(1).f_code is inspect.getclosurevars.__code__:
            raise KeyError(name)
        if self.scope.reach(name):
            return self.scope.find(name)
        return vars(builtins)[name]


class Scope:
    """The block of a module, a class or a function, of which statements are run as they are needed."""

    def __init__(self, tree: Tree, body: list[ast.stmt], module: ModuleType, file: Path, parent: Scope | None) -> None:
        self.tree = tree
        self.module = module
        self.file = file
        self.parent = parent
        self.namespace = vars(module) if parent is None else dict.fromkeys(())
        if parent is not None:
            shared = ("__name__", "__file__", "__package__", "__doc__")
            self.namespace |= {name: parent.namespace.get(name) for name in shared}
        self.statements = statements_of(body)
        #: Numbers of the statements that bind or change each name, in order.
        self.about: dict[str, list[int]] = {}
        for number, statement in enumerate(self.statements):
            for name in statement.binds | statement.changes:
                self.about.setdefault(name, []).append(number)
        self.done: set[int] = set()
        self.running: list[int] = []
        self._tests: dict[ast.If, bool] = {}
        self._flags: int = annotations_flag(self.statements) if parent is None else parent._flags
        #: Values that a function's parameters have, each worked out when it is asked for.
        self.parameters: dict[str, Callable[[], Any]] = {}
        self._guarded = guarded_lines(body)
        self.namespace["__builtins__"] = LookUp(self)
        tree.scopes[id(self.namespace)] = self

    def reach(self, name: str) -> bool:
        """Run what gives ``name`` its value at this point; whether it has one, here or in a scope around."""
        before = self.running[-1] if self.running else END
        return self.ensure(name, before) or (self.parent is not None and self.parent.reach(name))

    def find(self, name: str) -> Any:
        if name in self.namespace or self.parent is None:
            return self.namespace[name]
        return self.parent.find(name)

    def ensure(self, name: str, before: int = END) -> bool:
        """Run the statements up to number ``before`` that bind or change ``name``; whether it is bound then."""
        if name in self.parameters:
            self.namespace[name] = self.parameters.pop(name)()
        numbers = self.about.get(name, [])
        binders = [number for number in numbers if name in self.statements[number].binds]
        if binders:
            failure: ImportError | None = None
            for number in numbers:
                if number < before:
                    try:
                        self.run(number)
                    except ImportError as error:
                        failure = failure or error
            # Bound further down only, as for a function that is called later; or in a branch that is not taken here,
            # such as that for another version of what is imported.
            for forced in (False, True):
                for number in binders:
                    if name not in self.namespace:
                        self.run(number, forced=forced)
            if failure is not None and name not in self.namespace:
                raise failure
        if name not in self.namespace:
            self.from_stars(name)
        return name in self.namespace

    def run(self, number: int, *, forced: bool = False) -> None:
        statement = self.statements[number]
        if number in self.done or statement.is_star:
            return
        if not forced and not all(self.holds(test, number) == truth for test, truth in statement.guards):
            return
        if forced and statement.guards:
            self.tree.note(f"line {statement.node.lineno} was run although its `if` does not hold here", self.file)
        self.done.add(number)
        self.prepare(statement, number)
        self.running.append(number)
        try:
            self.execute(statement.node)
        except Rejected:
            raise
        except Exception as error:
            if statement.binds:
                raise
            self.tree.note(f"line {statement.node.lineno} was left out: {type(error).__name__}: {error}", self.file)
        finally:
            self.running.pop()

    def prepare(self, statement: Statement, number: int) -> None:
        """Bring what a statement reads to its value at that point, where it has been bound before that already."""
        for name in statement.needs:
            if any(other < number and other not in self.done for other in self.about.get(name, ())):
                self.ensure(name, number)

    def holds(self, test: ast.If, number: int) -> bool:
        """Whether the test of an ``if`` of the block is true; run once."""
        if test not in self._tests:
            self.running.append(number)
            try:
                self._tests[test] = bool(self.evaluate(test.test))
            except ModuleNotFoundError:
                self._tests[test] = False
            finally:
                self.running.pop()
        return self._tests[test]

    def execute(self, node: ast.stmt) -> None:
        of_triton, left = reexported.taken_from(node)
        self.namespace.update(of_triton)
        if left is None:
            return
        node = left
        code = compile(ast.Module([node], []), str(self.file), "exec", self._flags, dont_inherit=True)
        exec(code, self.namespace)
        self.tree.executed += 1

    def evaluate(self, node: ast.expr) -> Any:
        code = compile(ast.Expression(node), str(self.file), "eval", self._flags, dont_inherit=True)
        return eval(code, self.namespace)

    def from_stars(self, name: str) -> None:
        for statement in reversed(self.statements):
            if statement.is_star and isinstance(statement.node, ast.ImportFrom) and not name.startswith("_"):
                node = statement.node
                try:
                    module = self.import_(node.module or "", self.namespace, None, ("*",), node.level)
                except ImportError:
                    continue
                if not isinstance(module, deferred.Deferred) and hasattr(module, name):
                    self.namespace[name] = getattr(module, name)
                    return

    def from_absent_star(self, name: str) -> deferred.Deferred | None:
        """What a name that nothing else binds may be: something out of a module that is not there."""
        scope: Scope | None = self
        while scope is not None:
            for statement in reversed(scope.statements):
                if statement.is_star and isinstance(statement.node, ast.ImportFrom):
                    path = "." * statement.node.level + (statement.node.module or "")
                    if deferred.top_of(path) in self.tree.imports.missing and not hasattr(builtins, name):
                        found = getattr(deferred.module_of(self.tree.imports, path), name)
                        return found if isinstance(found, deferred.Deferred) else None
            scope = scope.parent
        return None

    def import_(self, name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        """``__import__`` for the statements of this scope."""
        line = sys._getframe(1).f_lineno
        if level:
            folder = self.file.parent
            for _ in range(level - 1):
                folder = folder.parent
            place = places.file_at(folder.joinpath(*name.split("."))) if name else folder
            return self.part_of(place, f"{'.' * level}{name}", fromlist, line)
        top = name.partition(".")[0]
        wanted = name if fromlist else top
        if places.is_pythons_or_tritons(top):
            return builtins.__import__(name, globals, locals, fromlist, level)
        place = places.in_tree(wanted, self.file)
        if place is not None:
            return self.part_of(place, wanted, fromlist, line)
        if places.in_tree(top, self.file) is None and not places.is_there(top):
            return self.absent(name, line)
        place = None if top in places.FIXED else places.installed(wanted)
        if place is not None and mentions_triton(place):
            return self.part_of(place, wanted, fromlist, line)
        return deferred.module_of(self.tree.imports, wanted)

    def part_of(self, place: Path | None, name: str, fromlist: Any, line: int) -> Any:
        """A module of the tree, if it has what is imported from it."""
        if place is None:
            return self.absent(name, line)
        module = self.tree.module_at(place)
        lacking = [each for each in fromlist or () if each != "*" and not hasattr(module, each)]
        if lacking:
            return self.absent(name, line, f"{name} has no '{lacking[0]}'")
        return module

    def absent(self, name: str, line: int, reason: str = "") -> Any:
        """A module that is not there, imported at ``line``: an error within a ``try``, elsewhere a stand-in."""
        if line in self._guarded:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        self.tree.imports.miss(name, str(self.file), line, reason)
        return deferred.module_of(self.tree.imports, name)


class Tree:
    """The files that take part, each executed in part."""

    def __init__(self, imports: deferred.Imports) -> None:
        self.imports = imports
        self.modules: dict[Path, ModuleType] = {}
        self.roots: dict[Path, Scope | None] = {}
        #: By the identity of their namespaces, which are the globals of their functions.
        self.scopes: dict[int, Scope] = {}
        self.notes: list[str] = []
        self.executed = 0

    def note(self, words: str, file: Path) -> None:
        note = f"{file.name}: {words}"
        if note not in self.notes:
            self.notes.append(note)

    def name_of(self, place: Path) -> str:
        """The dotted name of a file or of a package's folder."""
        if place.is_dir() and places.source_of(place) is None:
            return place.name
        return places.package_of(place / "__init__.py" if place.is_dir() else place)[1]

    def open(self, file: Path) -> Scope:
        """The scope of the file that is loaded."""
        place = file.parent if file.name == "__init__.py" else file
        self.module_at(place)
        scope = self.scope_of(place)
        assert scope is not None
        return scope

    def module_at(self, place: Path) -> ModuleType:
        """The module of a file or of a package's folder, of which nothing has run yet."""
        if place in self.modules:
            return self.modules[place]
        name = self.name_of(place)
        if name in sys.modules or name.partition(".")[0] in places.FIXED:
            name = f"kernels_in_{name}"
        module = ModuleType(name)
        source = places.source_of(place)
        module.__file__ = str(source or place)
        module.__package__ = name if place.is_dir() else name.rpartition(".")[0]
        module.__spec__ = ModuleSpec(name, None, origin=module.__file__, is_package=place.is_dir())
        if place.is_dir():
            module.__path__ = [str(place)]
        vars(module)["__getattr__"] = lambda attribute: self.attribute_of(place, attribute)
        self.modules[place] = sys.modules[name] = module
        return module

    def scope_of(self, place: Path) -> Scope | None:
        """The scope of a module's file, read when it is first asked for."""
        if place not in self.roots:
            self.roots[place] = None
            source = places.source_of(place)
            if source is not None:
                self.roots[place] = Scope(self, parsed(source).body, self.modules[place], source, None)
        return self.roots[place]

    def attribute_of(self, place: Path, name: str) -> Any:
        module = self.modules[place]
        if name.startswith("__") and name.endswith("__") and name != "__version__":
            raise AttributeError(f"module '{module.__name__}' has no attribute '{name}'")
        scope = self.scope_of(place)
        if scope is not None and scope.ensure(name):
            return scope.namespace[name]
        below = places.file_at(place / name) if place.is_dir() else None
        if below is not None:
            return self.module_at(below)
        raise AttributeError(f"module '{module.__name__}' ({module.__file__}) has no attribute '{name}'")

    def forget(self) -> None:
        """Take the modules away from where Python looks for what it has imported."""
        for module in self.modules.values():
            if sys.modules.get(module.__name__) is module:
                del sys.modules[module.__name__]

    def files(self) -> Iterator[Path]:
        """Files of which something was read or run."""
        for scope in self.roots.values():
            if scope is not None:
                yield scope.file


def parsed(file: Path) -> ast.Module:
    return parsed_text(file.read_bytes(), str(file))


@functools.lru_cache(maxsize=16)
def parsed_text(text: bytes, filename: str) -> ast.Module:
    """The tree is shared: nobody may change it."""
    return ast.parse(text, filename=filename)


def mentions_triton(place: Path) -> bool:
    source = places.source_of(place)
    return source is None or b"triton" in source.read_bytes()


def guarded_lines(body: list[ast.stmt]) -> set[int]:
    """Lines of imports that may fail: those of a ``try`` with a handler."""
    return {
        node.lineno
        for statement in body
        for guard in ast.walk(statement)
        if isinstance(guard, ast.Try) and guard.handlers
        for part in guard.body
        for node in ast.walk(part)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }


def annotations_flag(statements: list[Statement]) -> int:
    asked = any(
        isinstance(each.node, ast.ImportFrom) and each.node.module == "__future__" and "annotations" in each.binds
        for each in statements
    )
    return __future__.annotations.compiler_flag if asked else 0
