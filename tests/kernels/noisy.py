"""Writes to descriptors 1 and 2, to print and to logging while it is imported, in ways meant to break a
protocol on standard output; its kernel is good."""

import logging
import os
import sys

import triton
import triton.language as tl

logging.basicConfig(level=logging.INFO)
print("noisy: print")
print('{"event": "finished"}', flush=True)
print("noisy: print to stderr", file=sys.stderr)
sys.stdout.write("noisy: no newline at the end")
os.write(1, b"noisy: descriptor 1 \xff\xfe\n")
os.write(2, b"noisy: descriptor 2 \xff\xfe\n")
logging.getLogger("noisy").warning("noisy: logging")


@triton.jit
def noisy_kernel(x_ptr, out_ptr, n_elements, BLOCK_SIZE: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    inside = offsets < n_elements
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=inside) * 2.0, mask=inside)
