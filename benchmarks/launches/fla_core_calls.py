"""Operations and modules of fla-core, forward and back, for each float type."""

from __future__ import annotations

from attempts import FLOATS, attempt, normal, up_to  # isort: skip

import fla.ops
import torch
from fla.modules.activations import logsigmoid, powglu, sigmoid_fwd, swiglu_fwd, swiglu_fwdbwd, swish_bwd, swish_fwd
from fla.modules.causal_conv1d import causal_conv1d
from fla.modules.fused_cross_entropy.ops import cross_entropy_loss
from fla.modules.norm.fused_norm_gate import rms_norm_gated
from fla.modules.norm.l2norm import l2norm
from fla.modules.norm.layernorm import group_norm, layer_norm, rms_norm
from fla.modules.rotary.ops import rotary_embedding

B, T, H, D = 2, 128, 4, 64


for dtype in FLOATS:

    def head(dtype: torch.dtype = dtype) -> torch.Tensor:
        return normal(B, T, H, D, dtype=dtype, grad=True)

    def gate(*shape: int, dtype: torch.dtype = dtype) -> torch.Tensor:
        return torch.nn.functional.logsigmoid(normal(*shape, dtype=dtype)).requires_grad_()

    q, k, v = head(), torch.nn.functional.normalize(head(), dim=-1), head()
    beta = torch.sigmoid(normal(B, T, H, dtype=dtype)).requires_grad_()
    attempt(fla.ops.chunk_gla, q, k, v, gate(B, T, H, D), backward=True)
    attempt(fla.ops.fused_recurrent_gla, q, k, v, gate(B, T, H, D), backward=True)
    attempt(fla.ops.chunk_retention, q, k, v, backward=True)
    attempt(fla.ops.parallel_retention, q, k, v, backward=True)
    attempt(fla.ops.chunk_delta_rule, q, k, v, beta, backward=True)
    attempt(fla.ops.fused_recurrent_delta_rule, q, k, v, beta, backward=True)
    attempt(fla.ops.chunk_gated_delta_rule, q, k, v, gate(B, T, H), beta, backward=True)
    attempt(fla.ops.fused_recurrent_gated_delta_rule, q, k, v, gate(B, T, H), beta=beta)
    attempt(fla.ops.chunk_simple_gla, q, k, v, gate(B, T, H), backward=True)
    attempt(fla.ops.chunk_linear_attn, q, k, v, normalize=False, backward=True)
    attempt(fla.ops.parallel_attn, q, k, v, backward=True)
    attempt(fla.ops.parallel_forgetting_attn, q, k, v, gate(B, T, H), backward=True)
    attempt(fla.ops.chunk_rwkv6, q, k, v, gate(B, T, H, D), normal(H, D, dtype=dtype, grad=True), backward=True)
    attempt(fla.ops.chunk_rwkv7, q, gate(B, T, H, D), k, v, -k, k * 0.5, backward=True)
    attempt(fla.ops.chunk_kda, q, k, v, gate(B, T, H, D), beta, backward=True)
    attempt(fla.ops.chunk_gsa, q, k, v, head(), gate(B, T, H, D), backward=True)
    attempt(fla.ops.parallel_based, normal(B, T, H, 16, dtype=dtype, grad=True), normal(B, T, H, 16, dtype=dtype), v)
    attempt(fla.ops.fused_recurrent_hgrn, normal(B, T, D, dtype=dtype, grad=True), gate(B, T, D), backward=True)

for dtype in FLOATS:

    def rows(*shape: int, dtype: torch.dtype = dtype) -> torch.Tensor:
        return normal(*(shape or (16, 256)), dtype=dtype, grad=True)

    attempt(layer_norm, rows(), rows(256), rows(256), backward=True)
    attempt(layer_norm, rows(), rows(256), rows(256), rows(), backward=True)
    attempt(rms_norm, rows(), rows(256), None, backward=True)
    attempt(group_norm, rows(), rows(256), rows(256), num_groups=4, backward=True)
    attempt(rms_norm_gated, rows(), rows(), rows(256), None, backward=True)
    attempt(l2norm, rows(), backward=True)
    attempt(rotary_embedding, rows(B, T, H, D), rows(T, D // 2), rows(T, D // 2), backward=True)
    attempt(cross_entropy_loss, rows(), up_to(256, 16), backward=True)
    attempt(causal_conv1d, rows(B, T, 128), rows(128, 4), rows(128), activation="silu", backward=True)
    attempt(logsigmoid, rows(), backward=True)
    attempt(powglu, rows(), rows(), backward=True)
    for call in (sigmoid_fwd, swish_fwd):
        attempt(call, rows().detach())
    attempt(swish_bwd, rows().detach(), rows().detach())
    attempt(swiglu_fwd, rows().detach(), rows().detach())
    attempt(swiglu_fwdbwd, rows().detach(), rows().detach(), rows().detach())
