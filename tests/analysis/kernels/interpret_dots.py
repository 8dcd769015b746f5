"""Counts the products that Triton's interpreter really does, as JSON: a second way, which shares nothing with ours.

For each kernel in dots.py that is named, in each of the launches, and for two samples. In a process of its own, as
``TRITON_INTERPRET`` must be set before Triton is imported: ``interpret_dots.py SAMPLES KERNELS LAUNCHES``, the latter
two in JSON.
"""

import json
import os
import sys

os.environ["TRITON_INTERPRET"] = "1"
sys.path.insert(0, sys.argv[1])

import dots
import flash_attention
import matmul
import torch
import triton
from triton.runtime.interpreter import InterpreterBuilder

SIZE = 32
done = [0]
create_dot = InterpreterBuilder.create_dot


def counting_dot(self, a, b, *rest):
    done[0] += 2 * a.data.size * b.data.shape[-1]
    return create_dot(self, a, b, *rest)


def operations(launch):
    done[0] = 0
    launch()
    return done[0]


def kernels(names, launches):
    x, out = torch.zeros(SIZE * SIZE), torch.empty(SIZE * SIZE)
    for name in names:
        kernel = getattr(dots, name)
        yield (
            name,
            [operations(lambda g=grid, n=numbers, k=kernel: k[tuple(g)](x, out, **n)) for numbers, grid in launches],
        )


def samples():
    for m, n, k in ((64, 64, 64), (100, 77, 52), (1, 130, 65)):
        a, b = torch.randn(m, k, dtype=torch.float16), torch.randn(k, n, dtype=torch.float16)
        c = torch.empty(m, n, dtype=torch.float16)
        strides = (*a.stride(), *b.stride(), *c.stride())
        tiles = {"BLOCK_M": 32, "BLOCK_N": 64, "BLOCK_K": 32, "GROUP_M": 8}
        grid = (triton.cdiv(m, 32) * triton.cdiv(n, 64),)
        product = matmul.matmul_kernel.fn
        done_ = operations(lambda g=grid, t=(a, b, c, m, n, k, *strides), o=tiles, p=product: p[g](*t, **o))
        yield {"numbers": {"M": m, "N": n, "K": k}, "grid": grid, "operations": done_}


def attention(causal):
    for heads, seq_len in ((2, 64), (1, 100), (3, 33)):
        q, k, v, out = torch.zeros(4, heads, seq_len, 16, dtype=torch.float16)
        grid = (triton.cdiv(seq_len, 32), heads)
        options = {"HEAD_DIM": 16, "CAUSAL": causal, "BLOCK_M": 32, "BLOCK_N": 16}
        kernel = flash_attention.flash_attention_kernel.fn
        done_ = operations(lambda g=grid, t=(q, k, v, out, seq_len, 0.25), o=options, f=kernel: f[g](*t, **o))
        yield {"numbers": {"seq_len": seq_len}, "grid": grid, "operations": done_}


if __name__ == "__main__":
    InterpreterBuilder.create_dot = counting_dot
    found = {"matmul": list(samples()), "causal": list(attention(True)), "full": list(attention(False))}
    print(json.dumps({**found, **dict(kernels(json.loads(sys.argv[2]), json.loads(sys.argv[3])))}))
