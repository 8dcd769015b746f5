"""``PYTHON path/to/irscope/worker LOG``: answer requests from stdin, one JSON object a line."""

import importlib.util
import sys
from pathlib import Path

PACKAGE = "irscope_worker"


def main() -> None:
    here = Path(__file__).resolve().parent
    # Started by path, this folder is the first entry of sys.path: a user's `import infer` would find ours.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != here]
    spec = importlib.util.spec_from_file_location(PACKAGE, here / "__init__.py", submodule_search_locations=[str(here)])
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)
    importlib.import_module(f"{PACKAGE}.serve").serve(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
