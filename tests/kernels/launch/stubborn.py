"""Host code that does not let go: each entry gets in the way of stopping it at a launch."""

import subprocess
import sys
import threading

import torch
import triton
import triton.language as tl

X = torch.zeros(32)


@triton.jit
def kernel(x_ptr, value, BLOCK: tl.constexpr):
    tl.store(x_ptr + tl.arange(0, BLOCK), value)


@triton.jit
def never_launched(x_ptr, BLOCK: tl.constexpr):
    tl.store(x_ptr + tl.arange(0, BLOCK), 1.0)


def catches_everything():
    for value in range(3):
        try:
            kernel[(1,)](X, float(value), BLOCK=32)
        except BaseException:
            X.add_(1)


def launches_in_a_thread():
    thread = threading.Thread(target=lambda: kernel[(2,)](X, 1.0, BLOCK=32))
    thread.start()
    thread.join()


def launches_in_a_process():
    subprocess.run([sys.executable, "-c", "pass"], check=True)


def exits():
    sys.exit("stubborn: needs a second GPU\nand a coffee")


def raises():
    raise LookupError("no weights here")


def launches_wrongly():
    kernel[(1,)](X, BLOCK=32)
