"""Calls a function of a device library that is linked only where it is named: NVSHMEM and its like."""

import triton
import triton.language as tl
from triton.language import core


@core.extern
def wait_for(value, _semantic=None, _builder=None):
    semantic = {"_semantic": _semantic} if _builder is None else {"_builder": _builder}
    signature = {(core.dtype("int32"),): ("elsewhere_wait_for", core.dtype("int32"))}
    return core.extern_elementwise("", "", [value], signature, is_pure=False, **semantic)


@triton.jit
def waiting_kernel(x_ptr, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    tl.store(x_ptr + offsets, wait_for(offsets))
