"""Operations of liger-kernel, forward and back, for each float type."""

from __future__ import annotations

from attempts import FLOATS, attempt, normal, up_to  # isort: skip

import torch
from liger_kernel.ops.cross_entropy import LigerCrossEntropyFunction
from liger_kernel.ops.dyt import LigerDyTFunction
from liger_kernel.ops.fused_add_rms_norm import LigerFusedAddRMSNormFunction
from liger_kernel.ops.fused_linear_cross_entropy import LigerFusedLinearCrossEntropyFunction
from liger_kernel.ops.geglu import LigerGELUMulFunction
from liger_kernel.ops.group_norm import LigerGroupNormFunction
from liger_kernel.ops.jsd import LigerJSDFunction
from liger_kernel.ops.kl_div import LigerKLDivLossFunction
from liger_kernel.ops.layer_norm import LigerLayerNormFunction
from liger_kernel.ops.poly_norm import LigerPolyNormFunction
from liger_kernel.ops.relu_squared import LigerReLUSquaredFunction
from liger_kernel.ops.rms_norm import LigerRMSNormFunction
from liger_kernel.ops.rope import LigerRopeFunction
from liger_kernel.ops.softmax import LigerSoftmaxFunction
from liger_kernel.ops.sparsemax import LigerSparsemaxFunction
from liger_kernel.ops.swiglu import LigerSiLUMulFunction
from liger_kernel.ops.tvd import LigerTVDLossFunction

for dtype in FLOATS:

    def rows(*shape: int, dtype: torch.dtype = dtype) -> torch.Tensor:
        return normal(*(shape or (16, 256)), dtype=dtype, grad=True)

    labels = up_to(256, 16)
    chances = torch.softmax(normal(16, 256), -1).to(dtype)
    attempt(LigerRMSNormFunction.apply, rows(), rows(256), 1e-6, 0.0, "llama", True, None, backward=True)
    attempt(LigerLayerNormFunction.apply, rows(), rows(256), rows(256), 1e-6, backward=True)
    attempt(LigerSiLUMulFunction.apply, rows(), rows(), backward=True)
    attempt(LigerGELUMulFunction.apply, rows(), rows(), backward=True)
    attempt(LigerSoftmaxFunction.apply, rows(), backward=True)
    attempt(LigerSparsemaxFunction.apply, rows(), -1, backward=True)
    attempt(LigerReLUSquaredFunction.apply, rows(), backward=True)
    attempt(LigerCrossEntropyFunction.apply, rows(), labels, None, backward=True)
    attempt(LigerFusedLinearCrossEntropyFunction.apply, rows(), rows(512, 256), labels, backward=True)
    attempt(LigerGroupNormFunction.apply, rows(4, 32, 64), rows(32), rows(32), 32, 8, 1e-6, backward=True)
    attempt(LigerJSDFunction.apply, rows(), chances, labels, backward=True)
    attempt(LigerKLDivLossFunction.apply, rows(), chances, backward=True)
    attempt(LigerTVDLossFunction.apply, rows(), chances, backward=True)
    attempt(LigerDyTFunction.apply, rows(), rows(1), rows(256), rows(256), backward=True)
    attempt(LigerPolyNormFunction.apply, rows(), rows(3), rows(1), backward=True)
    attempt(LigerFusedAddRMSNormFunction.apply, rows(), rows(), rows(256), 1e-6, backward=True)
    angles = normal(1, 32, 64, dtype=dtype)
    attempt(LigerRopeFunction.apply, rows(2, 8, 32, 64), rows(2, 2, 32, 64), angles, angles, backward=True)
