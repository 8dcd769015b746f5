"""A matmul as the tutorials write it: configurations with hooks, pruned by a function, chosen by timing."""

import torch
import triton
import triton.language as tl


def clear_output(arguments):
    arguments["c_ptr"].zero_()


def keep_those_that_fit(configurations, named_args, **kwargs):
    m = named_args["M"]
    return [one for one in configurations if one.kwargs["BLOCK_M"] <= max(m, 32)]


def configurations():
    return [
        triton.Config({"BLOCK_M": m, "BLOCK_N": n, "BLOCK_K": 32}, num_warps=w, num_stages=s, pre_hook=clear_output)
        for m, n, w, s in [(128, 128, 8, 3), (64, 64, 4, 4), (32, 64, 4, 2)]
    ]


@triton.autotune(
    configs=configurations(),
    key=["M", "N", "K"],
    prune_configs_by={"early_config_prune": keep_those_that_fit},
)
@triton.jit
def matmul_kernel(
    a_ptr, b_ptr, c_ptr, M, N, K, stride_am, stride_ak, stride_bk, stride_bn, stride_cm, stride_cn,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    columns = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    inner = tl.arange(0, BLOCK_K)
    total = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for k in range(tl.cdiv(K, BLOCK_K)):
        left = k * BLOCK_K + inner
        a = tl.load(a_ptr + rows[:, None] * stride_am + left[None, :] * stride_ak,
                    mask=(rows[:, None] < M) & (left[None, :] < K), other=0.0)  # fmt: skip
        b = tl.load(b_ptr + left[:, None] * stride_bk + columns[None, :] * stride_bn,
                    mask=(left[:, None] < K) & (columns[None, :] < N), other=0.0)  # fmt: skip
        total += tl.dot(a, b)
    where = c_ptr + rows[:, None] * stride_cm + columns[None, :] * stride_cn
    tl.store(where, total, mask=(rows[:, None] < M) & (columns[None, :] < N))


def matmul(a, b):
    assert a.shape[1] == b.shape[0], "sizes do not fit"
    (m, k), n = a.shape, b.shape[1]
    c = torch.empty((m, n), device=a.device, dtype=torch.float32)

    def grid(meta):
        return (triton.cdiv(m, meta["BLOCK_M"]), triton.cdiv(n, meta["BLOCK_N"]))

    matmul_kernel[grid](a, b, c, m, n, k, a.stride(0), a.stride(1), b.stride(0), b.stride(1), c.stride(0), c.stride(1))
    return c


if __name__ == "__main__":
    torch.manual_seed(0)
    for m, n, k in [(512, 512, 512), (100, 256, 96), (33, 70, 50)]:
        a = torch.randn(m, k, device="cuda", dtype=torch.float16)
        b = torch.randn(n, k, device="cuda", dtype=torch.float16).T
        torch.testing.assert_close(matmul(a, b), (a.float() @ b.float()), atol=1e-1, rtol=1e-2)
        print(m, n, k, "best:", matmul_kernel.best_config)
