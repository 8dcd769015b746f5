"""Tests as unittest runs them."""

import unittest

import torch
import triton
import triton.language as tl


@triton.jit
def reverse_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    tl.store(out_ptr + n - 1 - offsets, tl.load(x_ptr + offsets, mask=offsets < n), mask=offsets < n)


def reverse(x):
    out = torch.empty_like(x)
    reverse_kernel[(1,)](x, out, x.numel(), BLOCK=triton.next_power_of_2(x.numel()))
    return out


@unittest.skipUnless(torch.cuda.is_available(), "needs a GPU")
class ReverseTest(unittest.TestCase):
    def setUp(self):
        self.device = torch.device("cuda")
        torch.manual_seed(3)

    def test_sizes(self):
        for size in (8, 16, 100):
            with self.subTest(size=size):
                x = torch.arange(size, device=self.device)
                self.assertEqual(reverse(x).tolist(), list(reversed(range(size))))

    def test_floats(self):
        x = torch.rand(50, device=self.device)
        self.assertTrue(torch.equal(reverse(x), x.flip(0)))
        self.assertLess((reverse(x) - x.flip(0)).abs().max().item(), 1e-6)

    @unittest.skip("nobody has that many")
    def test_many_gpus(self):
        reverse(torch.rand(50, device="cuda:99"))


if __name__ == "__main__":
    unittest.main()
