"""Attention on four-dimensional tensors, checked against torch's own."""

import math

import torch
import torch.nn.functional as F
import triton
import triton.language as tl


@triton.jit
def attention_kernel(
    q_ptr, k_ptr, v_ptr, out_ptr, lse_ptr, scale, stride_b, stride_h, stride_t, stride_d, H, T,
    HEAD: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, CAUSAL: tl.constexpr,
):  # fmt: skip
    start, batch_head = tl.program_id(0), tl.program_id(1)
    base = (batch_head // H).to(tl.int64) * stride_b + (batch_head % H).to(tl.int64) * stride_h
    rows, d = start * BLOCK_M + tl.arange(0, BLOCK_M), tl.arange(0, HEAD)
    at = base + rows[:, None] * stride_t + d[None, :] * stride_d
    q = tl.load(q_ptr + at, mask=rows[:, None] < T, other=0.0)
    largest = tl.full((BLOCK_M,), -float("inf"), tl.float32)
    total = tl.zeros((BLOCK_M,), tl.float32)
    result = tl.zeros((BLOCK_M, HEAD), tl.float32)
    for begin in range(0, T, BLOCK_N):
        columns = begin + tl.arange(0, BLOCK_N)
        there = base + columns[:, None] * stride_t + d[None, :] * stride_d
        k = tl.load(k_ptr + there, mask=columns[:, None] < T, other=0.0)
        scores = tl.dot(q, tl.trans(k)) * scale
        allowed = columns[None, :] < T
        if CAUSAL:
            allowed = allowed & (rows[:, None] >= columns[None, :])
        scores = tl.where(allowed, scores, -1e30)
        new = tl.maximum(largest, tl.max(scores, 1))
        p = tl.exp(scores - new[:, None])
        old = tl.exp(largest - new)
        total = total * old + tl.sum(p, 1)
        v = tl.load(v_ptr + there, mask=columns[:, None] < T, other=0.0)
        result = result * old[:, None] + tl.dot(p.to(v.dtype), v)
        largest = new
    tl.store(out_ptr + at, result / total[:, None], mask=rows[:, None] < T)
    tl.store(lse_ptr + batch_head * T + rows, largest + tl.log(total), mask=rows < T)


def attention(q, k, v, causal=False):
    b, h, t, d = q.shape
    assert d in {16, 32, 64, 128}
    out = torch.empty_like(q)
    lse = torch.empty((b * h, t), device=q.device, dtype=torch.float32)
    attention_kernel[(triton.cdiv(t, 64), b * h)](
        q, k, v, out, lse, 1.0 / math.sqrt(d), *q.stride(), h, t,
        HEAD=d, BLOCK_M=64, BLOCK_N=32, CAUSAL=causal, num_warps=4, num_stages=2,
    )  # fmt: skip
    return out


if __name__ == "__main__":
    for shape, causal in (((2, 4, 256, 64), True), ((1, 3, 100, 32), False), ((1, 1, 1, 64), False)):
        q, k, v = torch.randn(3, *shape, device="cuda", dtype=torch.float16).unbind(0)
        wanted = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        torch.testing.assert_close(attention(q, k, v, causal), wanted, atol=2e-2, rtol=2e-2)
    # As a model has them: heads and sequence change places.
    q, k, v = torch.randn(2, 128, 3, 8, 64, device="cuda", dtype=torch.bfloat16).permute(2, 0, 3, 1, 4)
    attention(q, k, v, causal=True)
