"""Operations of bitsandbytes, torchao and sageattention."""

from __future__ import annotations

from attempts import FLOATS, HALVES, attempt, normal, up_to, zeros  # isort: skip

import torch
from bitsandbytes.backends.triton import ops
from sageattention import sageattn, sageattn_varlen
from torchao.kernel.blockwise_quantization import (
    blockwise_fp8_gemm,
    fp8_blockwise_act_quant,
    fp8_blockwise_weight_dequant,
    fp8_blockwise_weight_quant,
)
from torchao.kernel.intmm_triton import int8_mm_kernel_configs, int_matmul_kernel, int_scaled_matmul_kernel
from torchao.prototype.attention.quantization.triton_hadamard_utils import inverse_hadamard_transform
from torchao.prototype.attention.quantization.triton_qkv_quantization import triton_fp8_sdpa_quantize
from torchao.prototype.attention.quantization.triton_rope_qkv_quantization import triton_fp8_rope_sdpa_quantize

code = normal(256)
for dtype in FLOATS:
    weight = normal(256, 256, dtype=dtype)
    attempt(ops.quantize_blockwise, weight, code, 64)
    bytes_ = up_to(256, 65536, dtype=torch.uint8)
    absmax = normal(1024)
    attempt(ops.dequantize_blockwise, bytes_, absmax, code, 64, dtype)
    for kind in ("nf4", "fp4"):
        attempt(ops.quantize_4bit, weight, 64, kind, torch.uint8)
        attempt(ops.dequantize_4bit, up_to(256, 32768, 1, dtype=torch.uint8), absmax, 64, kind, (256, 256), dtype)
    for name in ("adam", "momentum", "lion"):
        second = normal(256, 256) if name == "adam" else None
        attempt(
            ops.optimizer_update_32bit, name, weight, weight.clone(), normal(256, 256), second, normal(1), 0.5, 1.0,
            0.9, 0.99, 0.0, 0.0, 1e-6, 0.01, 1, 1e-3, 1.0,
        )  # fmt: skip

for dtype in HALVES:
    q, k, v = (normal(2, 4, 128, 64, dtype=dtype) for _ in range(3))
    attempt(sageattn, q, k, v)
    attempt(sageattn, q, k, v, is_causal=True)
    packed = normal(256, 4, 64, dtype=dtype)
    starts = torch.tensor([0, 128, 256], dtype=torch.int32, device="cuda")
    attempt(sageattn_varlen, packed, packed, packed, starts, starts, 128, 128)
    attempt(triton_fp8_sdpa_quantize, q, k, v)
    angles = normal(128, 64)
    attempt(triton_fp8_rope_sdpa_quantize, *(t.transpose(1, 2).contiguous() for t in (q, k, v)), angles, angles)
    attempt(inverse_hadamard_transform, q)

attempt(fp8_blockwise_act_quant, normal(256, 256, dtype=torch.bfloat16))
attempt(fp8_blockwise_weight_quant, normal(256, 256, dtype=torch.bfloat16))
eighth = zeros(256, 256).to(torch.float8_e4m3fn)
attempt(fp8_blockwise_weight_dequant, eighth, normal(2, 2))
attempt(blockwise_fp8_gemm, eighth, normal(256, 2), eighth, normal(2, 2))
integers = up_to(100, 256, 256, dtype=torch.int8)
attempt(int_matmul_kernel, integers, integers, zeros(256, 256, dtype=torch.int32), int8_mm_kernel_configs[0])
scaled = zeros(256, 256, dtype=torch.bfloat16)
attempt(int_scaled_matmul_kernel, integers, integers, scaled[:, :1], scaled, int8_mm_kernel_configs[0])
