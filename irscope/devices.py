"""The GPUs of this machine, as their driver's management library tells them: no CUDA context, no torch."""

from __future__ import annotations

import ctypes
import os
import sys
from dataclasses import dataclass
from functools import lru_cache

from irscope.model import Target

#: What is compiled for where there is no GPU and the user names no target.
DEFAULT_TARGET = Target("cuda", "sm_90", 32)


@dataclass(frozen=True, slots=True)
class Device:
    name: str
    target: Target
    memory_bytes: int
    driver: str


@lru_cache(maxsize=1)
def devices() -> tuple[Device, ...]:
    """The CUDA devices, those that ``CUDA_VISIBLE_DEVICES`` leaves, in its order; none where there is no driver."""
    if not has_driver():
        return ()
    try:
        import pynvml
    except ImportError:  # not installed on macOS
        return ()
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ()
    try:
        driver = text(pynvml.nvmlSystemGetDriverVersion())
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        found = []
        for handle in handles:
            major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
            found.append(
                Device(
                    text(pynvml.nvmlDeviceGetName(handle)),
                    Target("cuda", f"sm_{major}{minor}", 32),
                    int(pynvml.nvmlDeviceGetMemoryInfo(handle).total),
                    driver,
                )
            )
        return visible(found)
    except pynvml.NVMLError:
        return ()
    finally:
        pynvml.nvmlShutdown()


def has_driver() -> bool:
    """Whether NVIDIA's management library may be there: asked first, as importing its bindings takes longer."""
    if sys.platform != "linux":
        return True
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return False
    return True


def visible(found: list[Device]) -> tuple[Device, ...]:
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return tuple(found)
    numbers = [entry.strip() for entry in chosen.split(",")]
    if any(number.startswith(("GPU-", "MIG-")) for number in numbers):
        return tuple(found[: len(numbers)])
    return tuple(found[int(number)] for number in numbers if number.isdigit() and int(number) < len(found))


def text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def default_target() -> Target:
    """The target of this machine's first GPU, or sm_90 where it has none."""
    found = devices()
    return found[0].target if found else DEFAULT_TARGET


def describe() -> str | None:
    """The first CUDA device in words, ``None`` where there is none: "NVIDIA H100, sm_90, 80 GB"."""
    found = devices()
    if not found:
        return None
    first = found[0]
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{first.name}, {first.target}, {round(first.memory_bytes / 1e9)} GB{more}"
