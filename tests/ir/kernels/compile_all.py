"""Compile every kernel beside this file with the installed Triton: ``python compile_all.py OUTPUT TARGET...``.

Writes OUTPUT/TARGET/KERNEL.STAGE. Run in a process of its own, as all that imports Triton.
"""

import os
import subprocess
import sys
from pathlib import Path

os.environ["TRITON_ALWAYS_COMPILE"] = "1"

import kernels
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

TARGETS = {
    "sm_80": GPUTarget("cuda", 80, 32),
    "sm_90": GPUTarget("cuda", 90, 32),
    "gfx942": GPUTarget("hip", "gfx942", 64),
}
SIGNATURES = {
    "matmul": (["*fp16", "*fp16", "*fp16", "i32", "i32", "i32"], 64),
    "reduction": (["*fp32", "*fp32", "i32", "i32"], 256),
    "search": (["*i32", "*i32", "i32", "i32"], 256),
}


def compile_kernel(name, target):
    types, block = SIGNATURES[name]
    kernel = getattr(kernels, name)
    signature = dict(zip(kernel.arg_names, [*types, "constexpr"], strict=True))
    attributes = {(i,): [["tt.divisibility", 16]] for i in range(len(types))}
    source = ASTSource(kernel, signature, {(len(types),): block}, attributes)
    return triton.compile(source, target=target, options={"num_warps": 4}).asm


def disassemble(cubin):
    """SASS by Triton's own nvdisasm; ``None`` where its wheel has none (Windows)."""
    disassembler = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "nvdisasm"
    if not disassembler.exists():
        return None
    command = [str(disassembler), "-gi", "-c", str(cubin)]
    return subprocess.run(command, check=True, capture_output=True).stdout


def main(output, *targets):
    for target in targets:
        directory = Path(output) / target
        directory.mkdir(parents=True)
        for name in SIGNATURES:
            for stage, content in compile_kernel(name, TARGETS[target]).items():
                data = content if isinstance(content, bytes) else content.encode("utf-8")
                path = directory / f"{name}.{stage}"
                path.write_bytes(data)
                if stage == "cubin" and (sass := disassemble(path)):
                    path.with_suffix(".sass").write_bytes(sass)


if __name__ == "__main__":
    main(*sys.argv[1:])
