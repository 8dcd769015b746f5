"""What the CUDA driver itself says: of the device, and of a kernel that is loaded on it."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from functools import cache
from typing import Any

#: CUfunction_attribute.
_MAX_THREADS, _SHARED_STATIC, _LOCAL, _REGISTERS = 0, 1, 3, 4
_NO_DEVICE = 100


class DriverError(OSError):
    """A call of the driver that failed; ``code`` is its CUresult."""

    def __init__(self, name: str, code: int) -> None:
        super().__init__(f"{name} returned {code}")
        self.code = code


class Driver:
    """The few calls of the CUDA driver's library that are needed; an `OSError` where there is none."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")

    def call(self, name: str, *arguments: object) -> None:
        code = getattr(self.library, name)(*arguments)
        if code:
            raise DriverError(name, code)

    def cuda_version(self) -> tuple[int, int]:
        """The newest CUDA that this driver runs, as (major, minor)."""
        value = ctypes.c_int()
        self.call("cuDriverGetVersion", ctypes.byref(value))
        return value.value // 1000, value.value % 1000 // 10

    def sees_devices(self) -> bool:
        try:
            self.call("cuInit", 0)
        except DriverError as error:
            if error.code == _NO_DEVICE:
                return False
            raise
        return True

    def attribute(self, number: int, function: int) -> int:
        value = ctypes.c_int()
        self.call("cuFuncGetAttribute", ctypes.byref(value), number, ctypes.c_void_p(function))
        return value.value

    def blocks_per_sm(self, function: int, threads: int, dynamic_shared_bytes: int) -> int:
        blocks = ctypes.c_int()
        size = ctypes.c_size_t(dynamic_shared_bytes)
        self.call(
            "cuOccupancyMaxActiveBlocksPerMultiprocessor",
            ctypes.byref(blocks), ctypes.c_void_p(function), ctypes.c_int(threads), size,
        )  # fmt: skip
        return blocks.value

    def uuid(self, device: int) -> str:
        handle, value = ctypes.c_int(), (ctypes.c_ubyte * 16)()
        self.call("cuDeviceGet", ctypes.byref(handle), device)
        self.call("cuDeviceGetUuid", ctypes.byref(value), handle)
        text = bytes(value).hex()
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


@cache
def driver() -> Driver:
    return Driver()


@cache
def driver_version() -> str | None:
    """As the vendor counts it, ``580.95.05``. NVML knows it even where CUDA finds the driver too old."""
    buffer = ctypes.create_string_buffer(96)
    try:
        library = ctypes.CDLL("nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1")
        if library.nvmlInit_v2() == 0:
            try:
                if library.nvmlSystemGetDriverVersion(buffer, ctypes.c_uint(len(buffer))) == 0:
                    return buffer.value.decode("ascii", errors="replace")
            finally:
                library.nvmlShutdown()
    except (OSError, AttributeError):
        pass
    return None


def describe_device(index: int) -> dict[str, Any]:
    """The fields of ``launch.model.Device`` for a device as torch counts them."""
    import torch

    properties = torch.cuda.get_device_properties(index)
    return {
        "index": index,
        "name": properties.name,
        "arch": f"sm_{properties.major}{properties.minor}",
        "uuid": f"GPU-{driver().uuid(index)}",
        "driver": driver_version() or "CUDA {}.{}".format(*driver().cuda_version()),
        "memory_bytes": properties.total_memory,
        "l2_bytes": properties.L2_cache_size,
        "multiprocessors": properties.multi_processor_count,
    }


def figures(compiled: Any) -> dict[str, int | None]:
    """The fields of ``launch.model.Figures`` for a Triton CompiledKernel, loaded on the current device.

    What the driver does not say is ``None``.
    """
    if compiled.function is None:
        compiled._init_handles()
    metadata = compiled.metadata
    function, library = int(compiled.function), driver()
    threads = metadata.num_warps * metadata.target.warp_size
    known: dict[str, int | None] = dict.fromkeys(("registers", "local_bytes", "shared_static_bytes", "max_threads"))
    attributes = (_REGISTERS, _LOCAL, _SHARED_STATIC, _MAX_THREADS)
    for name, number in zip(known, attributes, strict=True):
        with contextlib.suppress(DriverError):
            known[name] = library.attribute(number, function)
    blocks = None
    with contextlib.suppress(DriverError):
        blocks = library.blocks_per_sm(function, threads, metadata.shared)
    return {**known, "shared_dynamic_bytes": metadata.shared, "blocks_per_sm": blocks}
