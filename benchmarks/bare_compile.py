"""What irscope is measured against: Triton, the kernel's file, ``triton.compile``, and its stages as files.

    python benchmarks/bare_compile.py SPECIALIZATION DIR [--no-sass]

SPECIALIZATION is what ``irscope dump --format json`` printed for the kernel, so that both compile the same.
"""

import importlib
import json
import sys
from pathlib import Path

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

OPTIONS = ("num_warps", "num_stages", "num_ctas", "maxnreg")


def main() -> None:
    wanted = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    folder = Path(sys.argv[2])
    file = Path(wanted["file"])
    sys.path.insert(0, str(file.parent))
    kernel = getattr(importlib.import_module(file.stem), wanted["kernel"])
    while not isinstance(kernel, triton.JITFunction):  # below @triton.autotune and @triton.heuristics
        kernel = kernel.fn
    position = {name: number for number, name in enumerate(kernel.arg_names)}
    source = ASTSource(
        kernel,
        wanted["signature"],
        {(position[name],): value for name, value in wanted["constexprs"].items()},
        {(position[name],): [list(item) for item in values.items()] for name, values in wanted["attributes"].items()},
    )
    target = wanted["target"]
    options = {name: wanted["options"][name] for name in OPTIONS if wanted["options"].get(name) is not None}
    compiled = triton.compile(
        source,
        target=GPUTarget(target["backend"], int(target["arch"].removeprefix("sm_")), target["warp_size"]),
        options=options,
    )
    stages = dict(compiled.asm)
    if "--no-sass" not in sys.argv:
        stages["sass"] = compiled.asm["sass"]
    folder.mkdir(parents=True, exist_ok=True)
    for stage, content in stages.items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / f"{wanted['kernel']}.{stage}").write_bytes(data)


if __name__ == "__main__":
    main()
