"""Triton's own modules under the names that packages give them on from a module of theirs.

``from package.triton_utils import tl, triton`` is how large packages guard against a machine without Triton: their
module asks for drivers, platforms and loggers first, and has placeholders where it does not find a GPU.
"""

from __future__ import annotations

import ast
import importlib
from typing import Any

from . import places

_MODULES = {
    "triton": "triton",
    "tl": "triton.language",
    "tldevice": "triton.language.extra.libdevice",
    "libdevice": "triton.language.extra.libdevice",
    "gluon": "triton.experimental.gluon",
    "gl": "triton.experimental.gluon.language",
    "ttgl": "triton.experimental.gluon.language",
}


def taken_from(statement: ast.stmt) -> tuple[dict[str, Any], ast.stmt | None]:
    """What of an import from somebody's own module is Triton's, and the statement that imports the rest.

    Returns:
        Modules by the name that they are bound to, and what is left of the statement: ``None`` where nothing is.
    """
    if not isinstance(statement, ast.ImportFrom):
        return {}, statement
    if not statement.level and places.is_pythons_or_tritons((statement.module or "").partition(".")[0]):
        return {}, statement
    found: dict[str, Any] = {}
    rest: list[ast.alias] = []
    for alias in statement.names:
        module = module_called(alias.name)
        if module is None:
            rest.append(alias)
        else:
            found[alias.asname or alias.name] = module
    if not found:
        return {}, statement
    left = ast.ImportFrom(statement.module, rest, statement.level)
    return found, ast.copy_location(left, statement) if rest else None


def module_called(name: str) -> Any:
    if name not in _MODULES:
        return None
    try:
        return importlib.import_module(_MODULES[name])
    except ImportError:  # Gluon, in a Triton that has none yet
        return None
