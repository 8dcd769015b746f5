"""Where a module's file is: in the tree of the file that imports it, or installed. Nothing is imported to find out."""

from __future__ import annotations

import sys
import sysconfig
from functools import cache, lru_cache
from importlib.machinery import PathFinder
from pathlib import Path

#: Names that are never looked for in a user's tree: a folder ``triton`` there holds kernels, as a rule.
FIXED = frozenset(sys.stdlib_module_names) | {"triton", "torch", "numpy"}

INSTALLED = tuple(
    # The worker's own: multiprocessing, which torch imports, has its main module by another name too.
    {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    | {Path(__file__).resolve().parent}
)


def is_pythons_or_tritons(top: str) -> bool:
    """Of an absolute import's first name: whether Python or Triton itself has it, so that it is imported as it is."""
    return top == "triton" or top in sys.stdlib_module_names


def package_of(path: Path) -> tuple[Path, str]:
    """The folder that must be on ``sys.path`` to import a file, and its dotted name from there."""
    root, name = path.parent, path.stem
    while (root / "__init__.py").exists() and root.name.isidentifier():
        name = f"{root.name}.{name}" if name != "__init__" else root.name
        root = root.parent
    return root, name


@lru_cache(maxsize=1 << 14)  # asked of every module before each file, and torch has two thousand
def is_installed(file: Path) -> bool:
    """Whether a file belongs to Python or to an installed package, rather than to the user."""
    resolved = file.resolve()
    return any(resolved.is_relative_to(root) for root in INSTALLED)


def in_tree(name: str, importer: Path) -> Path | None:
    """The file (or the folder, for a package) of an absolute import's module in the tree around a file."""
    top = name.partition(".")[0]
    if top in FIXED:
        return None
    for folder in importer.parents:
        beside = folder == importer.parent
        inside = importer.is_relative_to(folder / top)
        if is_installed(folder) and folder in INSTALLED and not inside:
            return None
        for root in (folder, folder / "src", folder / "python"):
            found = file_at(root / top)
            if found is not None and (beside or inside or found.suffix == ".py" or (found / "__init__.py").exists()):
                below = file_at(root.joinpath(*name.split(".")))
                if below is not None:
                    return below
    return None


def installed(name: str) -> Path | None:
    """The file or folder of an installed module of Python source, by the entries of ``sys.path``."""
    found = installed_root(name.partition(".")[0])
    return None if found is None else file_at(found.joinpath(*name.split(".")[1:]))


@cache
def installed_root(top: str) -> Path | None:
    """The folder, or the file without its suffix, of a top-level module that is installed."""
    spec = PathFinder.find_spec(top)
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(spec.origin).with_suffix("") if spec.origin else None


def is_there(top: str) -> bool:
    try:
        return PathFinder.find_spec(top) is not None
    except (ImportError, ValueError):
        return False


def file_at(place: Path) -> Path | None:
    """``place`` without a suffix: the package's folder, else the module's file."""
    if place.is_dir():
        return place
    file = place.with_name(f"{place.name}.py")
    return file if file.is_file() else None


def source_of(place: Path) -> Path | None:
    """The file with a module's source; ``None`` for a folder without ``__init__.py``."""
    file = place / "__init__.py" if place.is_dir() else place
    return file if file.is_file() else None
