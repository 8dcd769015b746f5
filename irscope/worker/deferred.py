"""Modules that are not imported before something depends on what is in them, or that are not there at all.

Most files import torch for the host code around a kernel, which a compile does not run. A `Deferred` stands for such
a module and for whatever is taken from it. It lets decorators, attributes and calls through. Where a value decides
something (a truth, a comparison, a number) it is worked out: by an answer that is known without the module, else by
importing it for real.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import operator
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

from triton.runtime.jit import KernelInterface

from .protocol import Rejected


@dataclass(frozen=True)
class Missing:
    """A module that is not there, or that does not load, and where a file imports it."""

    module: str
    file: str | None = None
    line: int | None = None
    #: Why it does not load, where it is there.
    reason: str = ""


@dataclass
class Imports:
    """The modules that files ask for but that are not imported yet, and what came of them."""

    #: By dotted path, ``()`` for a call: "torch.cuda.is_available()".
    answers: dict[str, Any] = field(default_factory=dict)
    #: Called with the name of a module that has really been imported.
    on_import: Callable[[str], None] = lambda name: None
    missing: dict[str, Missing] = field(default_factory=dict)
    #: What was decided without knowing: "flash_attn.VERSION".
    undecided: list[str] = field(default_factory=list)
    #: What was put in the place of something out of a missing module, in words.
    taken: list[str] = field(default_factory=list)
    #: Modules that stand for missing ones, with what was taken.
    instead: list[ModuleType] = field(default_factory=list)

    def miss(self, name: str, file: str | None = None, line: int | None = None, reason: str = "") -> None:
        self.missing.setdefault(top_of(name), Missing(name, file, line, reason))

    def load(self, name: str) -> Any:
        """Import a module for real. Raises ModuleNotFoundError where that fails."""
        if top_of(name) in self.missing:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        try:
            module = importlib.import_module(name)
        except Rejected:
            raise
        except Exception as error:
            absent = isinstance(error, ModuleNotFoundError) and top_of(error.name or "") == top_of(name)
            self.miss(name, reason="" if absent else f"{type(error).__name__}: {error}")
            raise ModuleNotFoundError(f"No module named '{name}'", name=name) from error
        self.on_import(name)
        return module


def version_of(module: str) -> Version | None:
    """The version of a module that is installed under its own name, by what was written down then."""
    try:
        return Version(importlib.metadata.version(module))
    except importlib.metadata.PackageNotFoundError:
        return None


def top_of(module: str) -> str:
    """What is installed to have a module; a relative one stands for itself."""
    return module if module.startswith(".") else module.partition(".")[0]


@dataclass
class Recipe:
    """How a value is made: a module, or an attribute, a call or an item of another recipe's value."""

    imports: Imports
    path: str
    module: str
    parent: Recipe | None = None
    step: Callable[[Any], Any] | None = None
    #: It is a module or an attribute of one: its path is its identity.
    is_plain: bool = True

    def value(self) -> Any:
        """Raises ModuleNotFoundError where the module is not there, else what the steps raise."""
        if self.path in self.imports.answers:
            return self.imports.answers[self.path]
        if self.parent is None:
            return self.imports.load(self.path)
        assert self.step is not None
        return self.step(self.parent.value())


class Deferred:
    """Stands for a module or for something out of it."""

    def __init__(self, recipe: Recipe) -> None:
        self.__dict__["_recipe"] = recipe

    def __getattr__(self, name: str) -> Any:
        recipe = recipe_of(self)
        if name == "__name__":
            return recipe.path.rpartition(".")[2]
        if name == "__version__" and recipe.parent is None:
            # Text, and nothing that stands for it: `re` and others take no less.
            known = recipe.imports.answers.get(f"{recipe.path}.__version__") or version_of(recipe.path)
            if known is not None:
                return known
        if name.startswith("__") and name.endswith("__") and name != "__version__":
            raise AttributeError(name)
        return Deferred(
            Recipe(recipe.imports, f"{recipe.path}.{name}", recipe.module, recipe, attribute(name), recipe.is_plain)
        )

    def __deepcopy__(self, _: Any) -> Any:
        return self

    def __copy__(self) -> Any:
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        pass

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        if len(arguments) == 1 and not named and is_decorated(arguments[0]):
            return arguments[0]

        def call(function: Any) -> Any:
            return function(*map(worked_out, arguments), **{key: worked_out(value) for key, value in named.items()})

        recipe = recipe_of(self)
        return Deferred(Recipe(recipe.imports, f"{recipe.path}()", recipe.module, recipe, call, False))

    def __getitem__(self, key: Any) -> Any:
        recipe = recipe_of(self)
        step = operator.itemgetter(worked_out(key))
        return Deferred(Recipe(recipe.imports, f"{recipe.path}[]", recipe.module, recipe, step, False))

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return ()

    def __instancecheck__(self, instance: Any) -> bool:
        return False

    def __subclasscheck__(self, other: Any) -> bool:
        return False

    def __hash__(self) -> int:
        return hash(recipe_of(self).path)

    def __eq__(self, other: object) -> bool:
        recipe = recipe_of(self)
        if isinstance(other, Deferred) and recipe.is_plain and recipe_of(other).is_plain:
            return recipe.path == recipe_of(other).path
        return bool(decided(self, lambda value: value == worked_out(other), False))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __bool__(self) -> bool:
        return bool(decided(self, bool, False))

    def __iter__(self) -> Any:
        return decided(self, iter, iter(()))

    # A module that is not there is taken to be new enough.
    def __lt__(self, other: Any) -> Any:
        return decided(self, lambda value: value < worked_out(other), False)

    def __le__(self, other: Any) -> Any:
        return decided(self, lambda value: value <= worked_out(other), False)

    def __gt__(self, other: Any) -> Any:
        return decided(self, lambda value: value > worked_out(other), True)

    def __ge__(self, other: Any) -> Any:
        return decided(self, lambda value: value >= worked_out(other), True)

    def __or__(self, other: Any) -> Any:
        return self  # in annotations: torch.Tensor | None

    __ror__ = __or__

    def __repr__(self) -> str:
        return f"<{recipe_of(self).path}, not imported>"


#: What needs a value, and cannot do without one.
_QUESTIONS: dict[str, Callable[..., Any]] = {
    "str": str, "int": int, "float": float, "index": operator.index, "len": len, "format": format,
    "contains": operator.contains, "neg": operator.neg, "abs": abs, "invert": operator.invert, "round": round,
}  # fmt: skip
_ARITHMETIC = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "truediv": operator.truediv,
    "floordiv": operator.floordiv, "mod": operator.mod, "pow": operator.pow, "and": operator.and_,
    "xor": operator.xor, "lshift": operator.lshift, "rshift": operator.rshift,
}  # fmt: skip


def add_operators() -> None:
    def method(function: Callable[..., Any], *, reflected: bool = False) -> Callable[..., Any]:
        def apply(*operands: Any) -> Any:
            values = [worked_out(operand) for operand in operands]
            return function(*(reversed(values) if reflected else values))

        return apply

    for name, function in {**_QUESTIONS, **_ARITHMETIC}.items():
        setattr(Deferred, f"__{name}__", method(function))
    for name, function in _ARITHMETIC.items():
        setattr(Deferred, f"__r{name}__", method(function, reflected=True))


add_operators()


def attribute(name: str) -> Callable[[Any], Any]:
    def get(owner: Any) -> Any:
        try:
            return getattr(owner, name)
        except AttributeError:
            module = getattr(owner, "__name__", None)
            if type(owner) is not type(sys) or f"{module}.{name}" in sys.modules:
                raise
            return importlib.import_module(f"{module}.{name}")

    return get


def recipe_of(value: Deferred) -> Recipe:
    recipe: Recipe = value.__dict__["_recipe"]
    return recipe


def module_of(imports: Imports, name: str) -> Deferred:
    return Deferred(Recipe(imports, name, top_of(name)))


def unknown(imports: Imports, words: str) -> Deferred:
    """Stands for a value that nothing gives: to work it out fails as for a module that is not there."""

    def fail(_: Any) -> Any:
        raise ModuleNotFoundError(f"No value for {words}", name=words)

    nothing = Recipe(imports, words, words, None)
    imports.answers[words] = None
    return Deferred(Recipe(imports, f"the value of {words}", words, nothing, fail, False))


def worked_out(value: Any) -> Any:
    """The value itself where it is deferred, which may import its module for real.

    Raises:
        ModuleNotFoundError: its module is not there.
    """
    return worked_out(recipe_of(value).value()) if isinstance(value, Deferred) else value


def worked_out_within(value: Any) -> Any:
    """The same for what a tuple, a list, a dictionary or a constexpr holds; all but a tuple are changed in place.

    Raises:
        ModuleNotFoundError: the module of one of them is not there.
    """
    if isinstance(value, tuple) and type(value) is tuple:
        return tuple(worked_out_within(item) for item in value)
    if isinstance(value, list):
        value[:] = [worked_out_within(item) for item in value]
    elif isinstance(value, dict):
        value.update({key: worked_out_within(item) for key, item in value.items()})
    elif type(value).__name__ == "constexpr" and isinstance(getattr(value, "value", None), Deferred):
        value.value = worked_out(value.value)
    return worked_out(value)


def decided(value: Deferred, question: Callable[[Any], Any], otherwise: Any) -> Any:
    try:
        return question(worked_out(value))
    except ModuleNotFoundError:
        recipe = recipe_of(value)
        if recipe.path not in recipe.imports.undecided:
            recipe.imports.undecided.append(recipe.path)
        return otherwise


def is_decorated(value: Any) -> bool:
    return isinstance(value, FunctionType | type | KernelInterface | staticmethod | classmethod)


class Version(str):
    """A version as torch has it: text that compares by its numbers, with texts and tuples too."""

    __slots__ = ()

    def __lt__(self, other: Any) -> bool:
        return numbers(self) < numbers(other)

    def __le__(self, other: Any) -> bool:
        return numbers(self) <= numbers(other)

    def __gt__(self, other: Any) -> bool:
        return numbers(self) > numbers(other)

    def __ge__(self, other: Any) -> bool:
        return numbers(self) >= numbers(other)


def numbers(version: Any) -> tuple[int, ...]:
    parts = version if isinstance(version, tuple) else str(version).partition("+")[0].split(".")
    return tuple(int(part) for part in parts if str(part).isdigit())
