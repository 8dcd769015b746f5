from .norms import normalize, row_norm_kernel
from .reductions import row_sum

__all__ = ["normalize", "row_norm_kernel", "row_sum"]
