"""Kernels that reach memory in every way that Triton has. Signatures are at the end; the expectations in the test."""

import triton
import triton.language as tl


@triton.jit
def copies(x_ptr, out_ptr, unused_ptr, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + at, tl.load(x_ptr + at, mask=at < n), mask=at < n)


@triton.jit
def in_place(x_ptr, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(x_ptr + at, tl.load(x_ptr + at, mask=at < n) * 2, mask=at < n)


@triton.jit
def atomics(x_ptr, sum_ptr, lock_ptr, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    while tl.atomic_cas(lock_ptr, 0, 1) == 1:
        pass
    tl.atomic_add(sum_ptr + at, tl.load(x_ptr + at, mask=at < n), mask=at < n)
    tl.atomic_xchg(lock_ptr, 0)


@triton.jit(noinline=True)
def copy_row(src, dst, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    tl.store(dst + at, tl.load(src + at, mask=at < n), mask=at < n)
    return dst + n


@triton.jit
def calls(a_ptr, b_ptr, c_ptr, n, BLOCK: tl.constexpr):
    second = copy_row(a_ptr, b_ptr, n, BLOCK)
    copy_row(second, c_ptr, n, BLOCK)


@triton.jit
def moving_pointers(a_ptr, b_ptr, c_ptr, n, flag, BLOCK: tl.constexpr):
    """A loop that swaps, one that advances, a choice, and a name that is not the parameter's."""
    if tl.program_id(0) >= n:
        return
    src = a_ptr
    if flag > 3:
        src = b_ptr
    out = c_ptr
    left = n
    while left > 0:
        left -= 2
        out += BLOCK
    tl.store(out, tl.load(src))


@triton.jit
def swaps(a_ptr, b_ptr, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    src, dst = a_ptr, b_ptr
    for _ in range(n):
        tl.store(dst + at, tl.load(src + at))
        src, dst = dst, src


@triton.jit
def addresses(table_ptr, out_ptr, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    for i in range(n):
        src = tl.load(table_ptr + i).to(tl.pointer_type(tl.float32))
        tl.store(out_ptr + i * BLOCK + at, tl.load(src + at))


@triton.jit
def assembly(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at)
    y = tl.inline_asm_elementwise(
        "ld.global.b32 $0, [$1]; // %y", "=r,l", [y_ptr + at], dtype=tl.int32, is_pure=False, pack=1
    )
    tl.store(out_ptr + at, x + y)


@triton.jit
def elements(pair, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    tl.store(pair[1] + at, tl.load(pair[0] + at, mask=at < n), mask=at < n)


@triton.jit
def block_pointers(a_ptr, out_ptr, n, BLOCK: tl.constexpr):
    a = tl.make_block_ptr(a_ptr, (n, n), (n, 1), (0, 0), (BLOCK, BLOCK), (1, 0))
    out = tl.make_block_ptr(out_ptr, (n, n), (n, 1), (0, 0), (BLOCK, BLOCK), (1, 0))
    for _ in range(0, n, BLOCK):
        tl.store(out, tl.load(a, boundary_check=(0, 1)), boundary_check=(0, 1))
        a = tl.advance(a, (0, BLOCK))
        out = tl.advance(out, (0, BLOCK))


@triton.jit
def descriptors(a_ptr, out_ptr, sum_ptr, n, BLOCK: tl.constexpr):
    a = tl.make_tensor_descriptor(a_ptr, [n, n], [n, 1], [BLOCK, BLOCK])
    out = tl.make_tensor_descriptor(out_ptr, [n, n], [n, 1], [BLOCK, BLOCK])
    total = tl.make_tensor_descriptor(sum_ptr, [n, n], [n, 1], [BLOCK, BLOCK])
    for k in range(0, n, BLOCK):
        tile = a.load([0, k])
        out.store([0, k], tile)
        total.atomic_add([0, k], tile)


@triton.jit
def host_descriptors(a_desc, out_desc, n):
    out_desc.store([0, n], a_desc.load([0, n]))


P, NUMBERS = "*fp32", {"n": "i32", "BLOCK": "constexpr"}
#: By kernel: its signature, and what of ``triton.language`` must be there, or must be allowed.
SIGNATURES = {
    "copies": {"x_ptr": P, "out_ptr": P, "unused_ptr": P, **NUMBERS},
    "in_place": {"x_ptr": P, **NUMBERS},
    "atomics": {"x_ptr": P, "sum_ptr": P, "lock_ptr": "*i32", **NUMBERS},
    "calls": {"a_ptr": P, "b_ptr": P, "c_ptr": P, **NUMBERS},
    "moving_pointers": {"a_ptr": P, "b_ptr": P, "c_ptr": P, "n": "i32", "flag": "i32", "BLOCK": "constexpr"},
    "swaps": {"a_ptr": P, "b_ptr": P, **NUMBERS},
    "addresses": {"table_ptr": "*i64", "out_ptr": P, **NUMBERS},
    "assembly": {"x_ptr": "*i32", "y_ptr": "*i32", "out_ptr": "*i32", **NUMBERS},
    "elements": {"pair": (P, P), **NUMBERS},
    "block_pointers": {"a_ptr": P, "out_ptr": P, **NUMBERS},
    "descriptors": {"a_ptr": P, "out_ptr": P, "sum_ptr": P, **NUMBERS},
    "host_descriptors": {"a_desc": "tensordesc<fp32[32,32]>", "out_desc": "tensordesc<fp32[32,32]>", "n": "i32"},
}
