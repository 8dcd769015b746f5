"""Attention without the matrix of scores: softmax(Q K^T * scale) V, causal or not, in one pass over K and V.

Work: one program takes BLOCK_M queries of one head and walks along the keys, BLOCK_N at a time. It keeps for
each query the largest score so far, the sum of the exponentials and the weighted sum of the values. When a
larger score turns up, sum and values shrink by the factor between the old maximum and the new one, so that
no score is ever needed twice and none goes to memory.

In irscope: in TTIR, the helper `attend` is a function of its own until `inline` has run; afterwards its lines
have two places each, where they stand and where they were called (`callsite` locations). There are two loops
from one source: in one all masks are gone, as MASKED is a constant there. In TTGIR, look at what happens to
`p` between the two dots: it leaves the first as an accumulator and enters the second as an operand
(`ttg.convert_layout`, or nothing at all where both layouts agree). In SASS, look for `MUFU.EX2` between the
`HGMMA` of sm_90: on a fast tensor core, the exponentials are what one waits for.
"""

from typing import TYPE_CHECKING

import triton
import triton.language as tl

if TYPE_CHECKING:
    import torch

# exp(x) = exp2(x * log2(e)), and exp2 is what the hardware has. The factor is merged into the scale, so the
# change of base costs nothing in the loop.
LOG2_E = tl.constexpr(1.4426950408889634)


@triton.jit
def attend(
    q,
    acc,
    norm,
    peak,
    k_ptrs,
    v_ptrs,
    rows,
    first,
    last,
    seq_len,
    scale,
    HEAD_DIM: tl.constexpr,
    BLOCK_N: tl.constexpr,
    CAUSAL: tl.constexpr,
    MASKED: tl.constexpr,
):
    """Adds the keys and values in [first, last) to what the queries have seen so far."""
    for start in range(first, last, BLOCK_N):
        cols = start + tl.arange(0, BLOCK_N)
        if MASKED:
            k = tl.load(k_ptrs + start * HEAD_DIM, mask=cols[None, :] < seq_len, other=0.0)
        else:
            k = tl.load(k_ptrs + start * HEAD_DIM)
        scores = tl.dot(q, k)
        if MASKED:
            visible = cols[None, :] < seq_len
            if CAUSAL:
                visible &= cols[None, :] <= rows[:, None]
            scores = tl.where(visible, scores, float("-inf"))

        # Each query sees at least one key of the first block, so new_peak is finite from there on and
        # neither difference below is inf - inf.
        new_peak = tl.maximum(peak, tl.max(scores, axis=1) * scale)
        p = tl.exp2(scores * scale - new_peak[:, None])
        shrink = tl.exp2(peak - new_peak)
        norm = norm * shrink + tl.sum(p, axis=1)
        acc = acc * shrink[:, None]

        if MASKED:
            v = tl.load(v_ptrs + start * HEAD_DIM, mask=cols[:, None] < seq_len, other=0.0)
        else:
            v = tl.load(v_ptrs + start * HEAD_DIM)
        # The tensor cores take half precision only; p is at most 1, so nothing overflows.
        acc = tl.dot(p.to(v.dtype), v, acc)
        peak = new_peak
    return acc, norm, peak


# The wide tiles are for GPUs with Hopper's shared memory; the autotuner skips what does not fit.
@triton.autotune(
    configs=[
        triton.Config({"BLOCK_M": 128, "BLOCK_N": 64}, num_warps=4, num_stages=3),
        triton.Config({"BLOCK_M": 128, "BLOCK_N": 64}, num_warps=8, num_stages=3),
        triton.Config({"BLOCK_M": 128, "BLOCK_N": 128}, num_warps=8, num_stages=2),
        triton.Config({"BLOCK_M": 128, "BLOCK_N": 128}, num_warps=8, num_stages=3),
        triton.Config({"BLOCK_M": 64, "BLOCK_N": 64}, num_warps=4, num_stages=3),
        triton.Config({"BLOCK_M": 64, "BLOCK_N": 32}, num_warps=4, num_stages=2),
    ],
    key=["seq_len", "HEAD_DIM", "CAUSAL"],
)
@triton.jit
def flash_attention_kernel(
    q_ptr,
    k_ptr,
    v_ptr,
    out_ptr,
    seq_len,
    sm_scale,
    HEAD_DIM: tl.constexpr = 64,
    CAUSAL: tl.constexpr = True,
    BLOCK_M: tl.constexpr = 128,
    BLOCK_N: tl.constexpr = 64,
):
    block = tl.program_id(0)
    if CAUSAL:
        # The last queries see the most keys: they start first, so that no long program is left at the end.
        block = tl.num_programs(0) - 1 - block
    first_row = block * BLOCK_M
    # All four tensors are contiguous (batch, head, position, channel); the heads lie one after another.
    head = tl.program_id(1).to(tl.int64) * seq_len * HEAD_DIM
    rows = first_row + tl.arange(0, BLOCK_M)
    cols = tl.arange(0, BLOCK_N)
    channels = tl.arange(0, HEAD_DIM)

    q_offsets = rows[:, None] * HEAD_DIM + channels[None, :]
    q = tl.load(q_ptr + head + q_offsets, mask=rows[:, None] < seq_len, other=0.0)
    # K is read transposed: for the dot product its channels must run down and its positions to the right.
    k_ptrs = k_ptr + head + channels[:, None] + cols[None, :] * HEAD_DIM
    v_ptrs = v_ptr + head + cols[:, None] * HEAD_DIM + channels[None, :]

    acc = tl.zeros((BLOCK_M, HEAD_DIM), dtype=tl.float32)
    norm = tl.zeros((BLOCK_M,), dtype=tl.float32)
    peak = tl.full((BLOCK_M,), float("-inf"), dtype=tl.float32)
    scale = sm_scale * LOG2_E

    # Keys before `full` are seen by each query of this block, and need no mask; those from `last` on by none.
    if CAUSAL:
        full = first_row // BLOCK_N * BLOCK_N
        last = min(first_row + BLOCK_M, seq_len)
    else:
        full = seq_len // BLOCK_N * BLOCK_N
        last = seq_len
    acc, norm, peak = attend(
        q, acc, norm, peak, k_ptrs, v_ptrs, rows, 0, full, seq_len, scale, HEAD_DIM, BLOCK_N, CAUSAL, False
    )
    acc, norm, peak = attend(
        q, acc, norm, peak, k_ptrs, v_ptrs, rows, full, last, seq_len, scale, HEAD_DIM, BLOCK_N, CAUSAL, True
    )

    out = acc / norm[:, None]
    tl.store(out_ptr + head + q_offsets, out.to(tl.float16), mask=rows[:, None] < seq_len)


def run(
    q: "torch.Tensor",
    k: "torch.Tensor",
    v: "torch.Tensor",
    causal: bool = True,
    sm_scale: float | None = None,
) -> "torch.Tensor":
    """Attention of contiguous fp16 tensors (batch, heads, positions, channels) with 16 to 128 channels."""
    import torch

    batch, heads, seq_len, head_dim = q.shape
    assert q.shape == k.shape == v.shape and q.dtype == k.dtype == v.dtype == torch.float16
    assert q.is_contiguous() and k.is_contiguous() and v.is_contiguous() and head_dim in (16, 32, 64, 128)
    out = torch.empty_like(q)

    def grid(config):
        # The second axis of a CUDA grid ends at 65535, the first one does not.
        return (triton.cdiv(seq_len, config["BLOCK_M"]), batch * heads)

    scale = head_dim**-0.5 if sm_scale is None else sm_scale
    flash_attention_kernel[grid](q, k, v, out, seq_len, scale, HEAD_DIM=head_dim, CAUSAL=causal)
    return out


def reference(
    q: "torch.Tensor",
    k: "torch.Tensor",
    v: "torch.Tensor",
    causal: bool = True,
    sm_scale: float | None = None,
) -> "torch.Tensor":
    import torch

    return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal, scale=sm_scale)


def main() -> int:
    from harness import check, report_arithmetic, require_cuda

    device = require_cuda("flash_attention")
    import torch

    passed = True
    for batch, heads, seq_len, head_dim in ((2, 3, 1000, 64), (4, 32, 4096, 64), (4, 32, 4096, 128)):
        shape = (batch, heads, seq_len, head_dim)
        q, k, v = torch.randn(3, *shape, device=device, dtype=torch.float16).unbind()
        for causal in (False, True):
            name = f"flash_attention {' x '.join(map(str, shape))}{', causal' if causal else ''}"
            passed &= check(name, run(q, k, v, causal), reference(q, k, v, causal), limit=2e-3)
            if seq_len < 4096:
                continue
            # Two products of 2 * seq_len**2 * head_dim for each head; a causal one needs half of them.
            flops = 4.0 * batch * heads * seq_len**2 * head_dim * (0.5 if causal else 1.0)
            print(f"{name}: best configuration: {flash_attention_kernel.best_config}")
            call = (q, k, v, causal)
            report_arithmetic(name, lambda call=call: run(*call), lambda call=call: reference(*call), flops)
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
