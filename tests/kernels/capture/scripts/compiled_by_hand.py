"""A kernel that the code compiles by itself, without a launch, and launches then."""

import torch
import triton
import triton.language as tl
from triton.compiler import ASTSource


@triton.jit
def scale_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=offsets < n) * 2, mask=offsets < n)


if __name__ == "__main__":
    source = ASTSource(
        scale_kernel, {"x_ptr": "*fp16", "out_ptr": "*fp16", "n": "i32", "BLOCK": "constexpr"}, {"BLOCK": 256}
    )
    compiled = triton.compile(source, options={"num_warps": 2})
    x = torch.randn(1000, device="cuda", dtype=torch.float16)
    out = torch.empty_like(x)
    compiled[(triton.cdiv(x.numel(), 256), 1, 1)](x, out, x.numel(), 256)
    torch.testing.assert_close(out, x * 2)
    assert "ptx" in compiled.asm
