"""Sequences of different lengths: sizes that are read from tensors that the host has made."""

import itertools

import torch
import triton
import triton.language as tl


@triton.jit
def pad_kernel(x_ptr, starts_ptr, out_ptr, longest, width, PAD, BLOCK: tl.constexpr):
    sequence, position = tl.program_id(0), tl.program_id(1)
    start, end = tl.load(starts_ptr + sequence), tl.load(starts_ptr + sequence + 1)
    offsets = tl.arange(0, BLOCK)
    inside = (start + position < end) & (offsets < width)
    x = tl.load(x_ptr + (start + position) * width + offsets, mask=inside, other=PAD)
    tl.store(out_ptr + (sequence * longest + position) * width + offsets, x, mask=offsets < width)


def pad(x, lengths, value=0.0):
    starts = torch.nn.functional.pad(torch.cumsum(lengths, 0, dtype=torch.int32), (1, 0))
    longest = int(lengths.max())
    out = torch.full((len(lengths), longest, x.shape[1]), float("nan"), device=x.device)
    pad_kernel[(len(lengths), longest)](
        x, starts, out, longest, x.shape[1], value, BLOCK=triton.next_power_of_2(x.shape[1])
    )
    return out


if __name__ == "__main__":
    for sizes in ([5, 16, 3], [1], [32, 32]):
        lengths = torch.tensor(sizes, device="cuda", dtype=torch.int32)
        x = torch.randn(lengths.sum().item(), 24, device="cuda")
        padded = pad(x, lengths, value=-1.0)
        for row, (begin, size) in enumerate(zip(itertools.accumulate([0, *sizes]), lengths.tolist(), strict=False)):
            assert torch.equal(padded[row, :size], x[begin : begin + size])
        assert not padded.isnan().any()
        wanted = torch.nn.utils.rnn.pad_sequence(x.split(sizes), batch_first=True, padding_value=-1.0)
        torch.testing.assert_close(padded, wanted)
