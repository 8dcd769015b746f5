"""Random numbers of CUDA tensors: a sequence of their own, so that the CPU's are those of a machine with a GPU.

A seed or a size that the file draws on the CPU decides how a kernel is specialized.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from . import standins

#: Functions and methods of torch that draw from the generator of the device that their tensors are on.
DRAWING = frozenset((
    "rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like", "normal", "bernoulli",
    "multinomial", "poisson", "binomial", "dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout",
    "feature_alpha_dropout", "feature_dropout", "rrelu", "rrelu_", "gumbel_softmax", "scaled_dot_product_attention",
    "multi_head_attention_forward", "normal_", "uniform_", "random_", "bernoulli_", "exponential_", "geometric_",
    "cauchy_", "log_normal_", "dropout_", "trunc_normal_", "kaiming_uniform_", "kaiming_normal_",
))  # fmt: skip

#: Keeps a seed's numbers on one side from being those on the other.
_APART = 0x9E3779B9


class NumbersOfCuda:
    """The sequence that stands for the GPU's."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        # The state is the generator's of the CPU, whose functions draw.
        self._get, self._set = torch.get_rng_state, torch.set_rng_state
        self._lock = threading.RLock()
        self._state: Any = None

    @contextlib.contextmanager
    def drawn(self) -> Iterator[None]:
        """Within, what draws from the CPU's generator draws from here."""
        with self._lock:
            of_cpu = self._get()
            self._set(self.state())
            try:
                yield
            finally:
                self._state = self._get()
                self._set(of_cpu)

    def state(self, *_: Any, **__: Any) -> Any:
        if self._state is None:
            self.seed(self._torch.initial_seed())
        return self._state.clone()

    def set_state(self, state: Any, *_: Any, **__: Any) -> None:
        self._state = state.clone()

    def seed(self, seed: int) -> None:
        generator = self._torch._C.Generator("cpu")
        generator.manual_seed((int(seed) ^ _APART) & ((1 << 63) - 1))
        self._state = generator.get_state()

    def replacements(self) -> list[standins.Replacement]:
        cuda = self._torch.cuda
        return [
            (cuda, "manual_seed", self.seed),
            (cuda, "manual_seed_all", self.seed),
            (cuda, "get_rng_state", self.state),
            (cuda, "set_rng_state", self.set_state),
        ]
