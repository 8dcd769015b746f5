"""Kernels in Inductor's cache: their files say what they were compiled for, in ``triton_meta`` of their decorator."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .jitted import Jitted, is_inductors
from .loading import note_files

#: Of a configuration that Inductor has found to be the best, beside the file.
OPTIONS = ("num_warps", "num_stages")


def layer_of(jitted: Jitted, path: Path) -> dict[str, Any] | None:
    """What a kernel's file says of its specialization, as a layer (see `layers`); ``None`` for other people's files."""
    decorator = next((each for each in jitted.decorators if is_inductors(each)), None)
    meta = next((each.value for each in getattr(decorator, "keywords", ()) if each.arg == "triton_meta"), None)
    if decorator is None or not isinstance(meta, ast.Dict):
        return None
    parts = {
        key.value: value for key, value in zip(meta.keys, meta.values, strict=True) if isinstance(key, ast.Constant)
    }
    names = [argument.arg for argument in jitted.function.args.args]
    signature, constants = (by_name(literal(parts.get(part)), names) for part in ("signature", "constants"))
    divisible = {names[number] for number in divisible_in(parts.get("configs")) if number < len(names)}
    entries = {
        name: f"{kind}:16" if name in divisible else str(kind)
        for name, kind in signature.items()
        if kind != "constexpr"
    }
    entries |= {name: repr(value) for name, value in constants.items()}
    best = best_configuration(path)
    entries |= {name: repr(value) for name, value in best.items() if name in names}
    return {
        "provenance": "captured",
        "origin": f"Inductor's triton_meta, line {meta.lineno}",
        "entries": entries,
        "options": {name: best[name] for name in OPTIONS if name in best},
        "configuration": None,
    }


def literal(node: ast.expr | None) -> Any:
    try:
        return ast.literal_eval(node) if node is not None else {}
    except ValueError:
        return {}


def by_name(values: dict[Any, Any], names: list[str]) -> dict[str, Any]:
    """Keys are names, or, with torch before 2.6, numbers of parameters."""
    return {names[key] if isinstance(key, int) else key: value for key, value in values.items()}


def divisible_in(configs: ast.expr | None) -> Iterator[int]:
    """Numbers of parameters: ``[{(0,): [['tt.divisibility', 16]]}]``; of earlier versions' classes, their tuples."""
    for node in ast.walk(configs) if configs is not None else ():
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Tuple) and ["tt.divisibility", 16] in literal(value):
                    yield literal(key)[0]
                elif isinstance(key, ast.Constant) and key.value == "tt.divisibility":
                    yield from literal(value)
        elif isinstance(node, ast.keyword) and node.arg == "divisible_by_16":
            yield from literal(node.value)


def best_configuration(path: Path) -> dict[str, Any]:
    file = path.with_suffix(".best_config")
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    note_files([file])
    return found if isinstance(found, dict) else {}
