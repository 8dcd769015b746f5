"""A constant of kernels, and one that only a host with the right package has."""

import a_module_that_is_not_there
import triton.language as tl

BIAS = tl.constexpr(2.5)
LIMIT = a_module_that_is_not_there.LIMIT
