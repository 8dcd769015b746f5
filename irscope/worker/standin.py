"""A stand-in for Triton's GPU driver on a machine without one.

Decorators and module-level code ask for the device while a file is imported (``@triton.autotune`` of
Triton 3.3 does by itself). This answers with the target that is compiled for. It launches nothing.
"""

from __future__ import annotations

from typing import Any, NoReturn


class StandInDriver:
    def __init__(self, target: Any) -> None:
        self.target = target

    def get_current_target(self) -> Any:
        return self.target

    def get_current_device(self) -> int:
        return 0

    def set_current_device(self, device: int) -> None:
        pass

    def get_current_stream(self, device: int = 0) -> int:
        return 0

    def get_device_capability(self, device: int = 0) -> tuple[int, int]:
        arch = self.target.arch
        return divmod(arch, 10) if isinstance(arch, int) else (0, 0)

    def get_device_interface(self) -> NoReturn:
        raise RuntimeError("there is no GPU on this machine")

    def get_active_torch_device(self) -> Any:
        import torch

        return torch.device("cuda", 0)

    def get_benchmarker(self) -> Any:
        def benchmark(call: Any, **named: Any) -> NoReturn:
            raise RuntimeError("nothing can be timed: there is no GPU on this machine")

        return benchmark

    def is_active(self) -> bool:
        return True
