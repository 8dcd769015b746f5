"""The CUDA driver's own occupancy of our compiled kernels, on the device that is here."""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from binaries import Binary

from irscope.analysis.occupancy import limits, occupancy
from irscope.analysis.resources import from_cubin
from irscope.model import Resources, Target

pytestmark = pytest.mark.cuda

_MAJOR, _MINOR = 75, 76
_MAX_DYNAMIC_SHARED = 8
_REGISTERS, _STATIC_SHARED, _LOCAL = 4, 1, 3


class _Driver:
    """The few calls of libcuda that are needed; every error is an exception."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")

    def __call__(self, name: str, *arguments: object) -> None:
        error = getattr(self.library, name)(*arguments)
        if error:
            raise OSError(f"{name} returned {error}")

    def attribute(self, number: int, device: ctypes.c_int) -> int:
        value = ctypes.c_int()
        self("cuDeviceGetAttribute", ctypes.byref(value), number, device)
        return value.value

    def function(self, data: bytes, name: str) -> ctypes.c_void_p:
        module, function = ctypes.c_void_p(), ctypes.c_void_p()
        self("cuModuleLoadData", ctypes.byref(module), data)
        self("cuModuleGetFunction", ctypes.byref(function), module, name.encode())
        return function

    def function_attribute(self, number: int, function: ctypes.c_void_p) -> int:
        value = ctypes.c_int()
        self("cuFuncGetAttribute", ctypes.byref(value), number, function)
        return value.value


@pytest.fixture(scope="module")
def driver() -> Iterator[tuple[_Driver, Target]]:
    try:
        found = _Driver()
        found("cuInit", 0)
        device, context = ctypes.c_int(), ctypes.c_void_p()
        found("cuDeviceGet", ctypes.byref(device), 0)
        found("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        found("cuCtxSetCurrent", context)
    except (OSError, AttributeError) as error:
        pytest.skip(f"no CUDA device: {error}")
    yield found, Target("cuda", f"sm_{found.attribute(_MAJOR, device)}{found.attribute(_MINOR, device)}", 32)
    found("cuDevicePrimaryCtxRelease_v2", device)


@pytest.fixture(scope="module")
def kernels(driver: tuple[_Driver, Target], cubins: list[Binary]) -> list[tuple[Binary, ctypes.c_void_p, Resources]]:
    call, target = driver
    own = [binary for binary in cubins if binary.target == target.arch]
    if not own:
        pytest.skip(f"nothing is compiled for {target}")
    return [(b, call.function(b.data, b.facts["name"]), from_cubin(b.data, b.facts["name"])) for b in own]


def test_figures_of_the_cubin_are_the_drivers(
    driver: tuple[_Driver, Target], kernels: list[tuple[Binary, ctypes.c_void_p, Resources]]
) -> None:
    call, _ = driver
    for binary, function, ours in kernels:
        assert call.function_attribute(_REGISTERS, function) == ours.registers, binary
        assert call.function_attribute(_STATIC_SHARED, function) == ours.shared_static_bytes, binary
        assert call.function_attribute(_LOCAL, function) == ours.local_bytes, binary


def differences(call: _Driver, target: Target, function: ctypes.c_void_p, figures: Resources) -> tuple[int, list[str]]:
    """How many blocks and sizes of memory were compared with the driver, and where it says another number."""
    has = limits(target)
    assert has, f"limits.json lacks {target}"
    compared, different = 0, []
    most = has.shared_per_block - (figures.shared_static_bytes or 0)
    call("cuFuncSetAttribute", function, _MAX_DYNAMIC_SHARED, most)
    for num_warps in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32):
        for dynamic in (*range(0, most, 5003), most):
            blocks = ctypes.c_int()
            threads, size = ctypes.c_int(num_warps * 32), ctypes.c_size_t(dynamic)
            call("cuOccupancyMaxActiveBlocksPerMultiprocessor", ctypes.byref(blocks), function, threads, size)
            asked = Resources(
                registers=figures.registers,
                shared_static_bytes=figures.shared_static_bytes,
                shared_dynamic_bytes=dynamic,
                barriers=figures.barriers,
            )
            ours = occupancy(asked, target, num_warps)
            compared += 1
            if ours.blocks_per_sm != blocks.value:
                different.append(f"{figures.registers} registers, {num_warps} warps, {dynamic} B: {ours}, {blocks}")
    return compared, different


def test_blocks_are_as_many_as_the_driver_says(
    driver: tuple[_Driver, Target], kernels: list[tuple[Binary, ctypes.c_void_p, Resources]]
) -> None:
    """Hundreds of block sizes and dynamic shared sizes; the block size need not be what the kernel is compiled for."""
    call, target = driver
    total = 0
    for binary, function, figures in kernels:
        compared, different = differences(call, target, function, figures)
        assert different == [], binary
        total += compared
    assert total > 300


def test_blocks_with_other_numbers_of_registers(
    driver: tuple[_Driver, Target], cubins: list[Binary], tmp_path: Path
) -> None:
    """The same kernel made to do with fewer and fewer registers, by ``.maxnreg`` in its PTX."""
    call, target = driver
    binary = next((b for b in cubins if b.target == target.arch and b.name == "softmax_one_warp"), None)
    if binary is None:
        pytest.skip(f"nothing is compiled for {target}")
    seen = set()
    for most in (24, 32, 40, 56, 64, 72, 88, 104, 128, 144, 168, 200, 232):
        data = with_registers(binary, most, tmp_path)
        figures = from_cubin(data, binary.facts["name"])
        function = call.function(data, binary.facts["name"])
        assert call.function_attribute(_REGISTERS, function) == figures.registers
        _, different = differences(call, target, function, figures)
        assert different == [], most
        seen.add(figures.registers)
    assert len(seen) > 8


def with_registers(binary: Binary, most: int, folder: Path) -> bytes:
    """The cubin of the same PTX with at most so many registers a thread."""
    ptx, cubin = folder / f"{most}.ptx", folder / f"{most}.cubin"
    text, count = re.subn(r"^\.reqntid .*$", rf"\g<0>\n.maxnreg {most}", binary.text, count=1, flags=re.MULTILINE)
    assert count == 1
    ptx.write_text(text, encoding="utf-8")
    path, *options = binary.facts["ptxas"]
    arch = next(option for option in options if option.startswith("--gpu-name="))
    subprocess.run([path, arch, str(ptx), "-o", str(cubin)], check=True)
    return cubin.read_bytes()
