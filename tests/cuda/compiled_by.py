"""``python compiled_by.py FILE SCRIPT ARGUMENTS``: run a script as Python does, and write down what Triton compiles.

Triton's own hook says it: for each kernel its types, constants and attributes, and which names autotuners fill in.
"""

import json
import runpy
import sys
from pathlib import Path
from typing import Any

from triton import knobs
from triton.runtime.autotuner import Autotuner, Heuristics

SOURCES: list[Any] = []
TUNERS: list[Any] = []


def heard(*words: Any, **named: Any) -> None:
    SOURCES.append(named["src"] if "src" in named else words[0])


def plain(value: Any) -> Any:
    """As JSON has it, and what JSON does not have by its name."""
    value = value.value if type(value).__name__ == "constexpr" else value
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if hasattr(value, "__dict__") and type(value).__name__.endswith("Layout"):
        return type(value).__name__
    return str(getattr(value, "__name__", value))


def described(source: Any) -> dict[str, Any]:
    names = source.fn.arg_names

    def named(path: tuple[int, ...]) -> str:
        return ".".join([names[path[0]], *map(str, path[1:])])

    return {
        "kernel": source.fn.fn.__name__,
        "signature": {name: plain(kind) for name, kind in source.signature.items()},
        "constexprs": {named(path): plain(value) for path, value in source.constants.items() if len(path) == 1},
        "attributes": {
            named(path): {key: plain(value) for key, value in pairs} for path, pairs in source.attrs.items() if pairs
        },
    }


def tuned() -> dict[str, list[str]]:
    """By kernel, the parameters that its autotuner and the heuristics below it decide."""
    found = {}
    for tuner in TUNERS:
        names = {name for one in tuner.configs for name in one.kwargs}
        inner = tuner.fn
        while hasattr(inner, "fn"):
            if isinstance(inner, Heuristics):
                names |= set(inner.values)
            inner = inner.fn
        found[tuner.base_fn.__name__] = sorted(names)
    return found


def main(out: Path, script: str, *arguments: str) -> None:
    knobs.compilation.listener = heard
    make = Autotuner.__init__

    def made(tuner: Any, *words: Any, **named: Any) -> None:
        make(tuner, *words, **named)
        TUNERS.append(tuner)

    Autotuner.__init__ = made
    sys.argv = [script, *arguments]
    sys.path[0] = str(Path(script).parent)
    code: Any = 0
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as exit:
        code = exit.code
    sources = [source for source in SOURCES if hasattr(source, "fn")]
    out.write_text(json.dumps({"compiled": [described(source) for source in sources], "tuned": tuned()}))
    sys.exit(code)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
