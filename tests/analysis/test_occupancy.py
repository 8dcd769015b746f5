from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from binaries import Binary

from irscope import tools
from irscope.analysis.occupancy import block_limits, limits, nearest_changes, occupancy
from irscope.analysis.resources import from_hsaco
from irscope.model import Occupancy, Resources, Target

CUDA = ("sm_75", "sm_80", "sm_86", "sm_87", "sm_89", "sm_90", "sm_100", "sm_103", "sm_110", "sm_120", "sm_121")
HIP = ("gfx90a", "gfx942", "gfx950", "gfx1100", "gfx1151", "gfx1200", "gfx1201")


def _block(registers: int, static: int = 0, dynamic: int = 0, barriers: int = 1) -> Resources:
    return Resources(registers=registers, shared_static_bytes=static, shared_dynamic_bytes=dynamic, barriers=barriers)


@pytest.mark.parametrize(
    ("target", "registers", "shared", "num_warps", "expected"),
    [
        # 32 registers: 8 warps x 1024 = 8192 of 65536 allow 8 blocks, as many as 64 warps do.
        ("sm_80", 32, 0, 8, Occupancy(8, 64, 64, "warps")),
        # 168 registers x 32 = 5376; 16384 of a quarter hold 3 warps, so 12 on the whole: 3 blocks of 4.
        ("sm_90", 168, 0, 4, Occupancy(3, 12, 64, "registers")),
        # 200 x 32 = 6400; 2 warps a quarter, 8 on the whole, 1 block of 8.
        ("sm_90", 200, 0, 8, Occupancy(1, 8, 64, "registers")),
        # 98304 + 1024 of 233472: 2 blocks.
        ("sm_90", 64, 98304, 4, Occupancy(2, 8, 64, "shared memory")),
        # 102400 - 1024 is the most that one block may take here.
        ("sm_86", 32, 101376, 4, Occupancy(1, 4, 48, "shared memory")),
        ("sm_86", 32, 101377, 4, Occupancy(0, 0, 48, "shared memory")),
        # No kilobyte is reserved on Turing; 16 blocks of one warp at most.
        ("sm_75", 16, 0, 1, Occupancy(16, 16, 32, "blocks")),
        ("sm_75", 16, 32768, 4, Occupancy(2, 8, 32, "shared memory")),
        # 255 registers x 32 warps are more than a block may have.
        ("sm_120", 255, 0, 32, Occupancy(0, 0, 48, "registers")),
        # gfx942: 512 / 128 registers allow 4 waves in each of 4 SIMDs.
        ("gfx942", 128, 0, 4, Occupancy(4, 16, 32, "registers")),
        ("gfx942", 64, 32768, 4, Occupancy(2, 8, 32, "shared memory")),
        # gfx1100: 191 registers take 192 of 1536, 8 waves in each of 4 SIMDs.
        ("gfx1100", 191, 0, 8, Occupancy(4, 32, 64, "registers")),
    ],
)
def test_worked_examples(target: str, registers: int, shared: int, num_warps: int, expected: Occupancy) -> None:
    assert occupancy(_block(registers, dynamic=shared), Target.parse(target), num_warps) == expected


def test_named_barriers_limit_hopper() -> None:
    assert occupancy(_block(32, barriers=16), Target.parse("sm_90"), 1).limiter == "barriers"
    assert block_limits(_block(32, barriers=16), Target.parse("sm_90"), 1)["barriers"] == 4  # type: ignore[index]


@pytest.mark.parametrize("target", ["sm_70", "sm_88", "sm_130", "gfx906", "gfx1300"])
def test_unknown_architecture_has_no_figures(target: str) -> None:
    assert limits(Target.parse(target)) is None
    assert occupancy(_block(32), Target.parse(target), 4) == Occupancy()


@pytest.mark.parametrize("missing", ["registers", "shared_static_bytes", "shared_dynamic_bytes"])
def test_unknown_resource_has_no_blocks(missing: str) -> None:
    known = {"registers": 32, "shared_static_bytes": 0, "shared_dynamic_bytes": 0, missing: None}
    found = occupancy(Resources(**known), Target.parse("sm_90"), 4)
    assert found == Occupancy(max_warps_per_sm=64)
    assert occupancy(_block(32), Target.parse("sm_90"), None).blocks_per_sm is None


@pytest.mark.parametrize("target", [*CUDA, *HIP])
def test_more_of_anything_never_allows_more_blocks(target: str) -> None:
    where = Target.parse(target)
    for num_warps in (1, 2, 4, 8, 16, 32):
        by_registers = [occupancy(_block(n), where, num_warps).blocks_per_sm for n in range(16, 256, 8)]
        by_shared = [occupancy(_block(32, dynamic=n), where, num_warps).blocks_per_sm for n in range(0, 170000, 999)]
        for blocks in (by_registers, by_shared):
            assert blocks == sorted(blocks, reverse=True)  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("target", "registers", "shared", "num_warps", "expected"),
    [
        # 12 warps by registers; a quarter holds 4 warps of 128 x 32 = 4096, so 16 on the whole.
        ("sm_90", 168, 0, 4, ["40 fewer registers: 4 blocks instead of 3"]),
        # 233472 / 3 - 1024 = 76800.
        ("sm_90", 64, 98304, 4, ["21 KB less shared memory: 3 blocks instead of 2"]),
        # Both allow 2: 65536 / 4 quarters / 3 warps = 5461, rounded down to 5376 = 168 x 32.
        ("sm_90", 255, 98304, 4, ["87 fewer registers and 21 KB less shared memory: 3 blocks instead of 2"]),
        ("sm_86", 32, 101377, 4, ["1 byte less shared memory: 1 block instead of 0"]),
        # All 64 warps are there.
        ("sm_90", 32, 0, 8, []),
    ],
)
def test_nearest_change_of_a_worked_example(
    target: str, registers: int, shared: int, num_warps: int, expected: list[str]
) -> None:
    changes = nearest_changes(_block(registers, dynamic=shared), Target.parse(target), num_warps)
    assert [str(change) for change in changes if change.num_warps_before is None] == expected


def test_more_warps_a_block_are_named_where_the_number_of_blocks_is_the_limit() -> None:
    (change,) = nearest_changes(_block(16), Target.parse("sm_75"), 1)
    assert str(change) == "num_warps 2 instead of 1, registers and shared memory equal: 32 warps instead of 16"


@pytest.mark.parametrize("target", [*CUDA, *HIP])
def test_a_change_raises_occupancy_and_a_smaller_one_does_not(target: str) -> None:
    where = Target.parse(target)
    seen = 0
    for num_warps, registers, dynamic, static in itertools.product(
        (1, 2, 4, 8, 16, 32), (16, 40, 72, 128, 168, 255), range(0, 240000, 15919), (0, 1040)
    ):
        block = _block(registers, static, dynamic)
        before = occupancy(block, where, num_warps)
        for change in nearest_changes(block, where, num_warps):
            seen += 1
            after = occupancy(change.resources, where, change.num_warps)
            assert change.before == before
            assert change.after == after
            assert after.warps_per_sm > before.warps_per_sm  # type: ignore[operator]
            if change.num_warps_before is not None:
                continue
            used = change.resources
            assert registers - used.registers == change.fewer_registers  # type: ignore[operator]
            left = used.shared_dynamic_bytes + used.shared_static_bytes  # type: ignore[operator]
            assert static + dynamic - left == change.less_shared_bytes
            one_more = [
                _block(used.registers + 1, 0, left) if change.fewer_registers else None,  # type: ignore[operator]
                _block(used.registers, 0, left + 1) if change.less_shared_bytes else None,  # type: ignore[arg-type]
            ]
            for nearly in filter(None, one_more):
                assert occupancy(nearly, where, num_warps).blocks_per_sm == before.blocks_per_sm, change
    assert seen > 100


@pytest.mark.parametrize("missing", ["registers", "shared_static_bytes", "shared_dynamic_bytes"])
def test_no_change_is_named_where_too_little_is_known(missing: str) -> None:
    known = {"registers": 168, "shared_static_bytes": 0, "shared_dynamic_bytes": 0, missing: None}
    assert nearest_changes(Resources(**known), Target.parse("sm_90"), 4) == ()
    assert nearest_changes(_block(168), Target.parse("sm_130"), 4) == ()
    assert nearest_changes(_block(168), Target.parse("sm_90"), None) == ()


@pytest.mark.sweep
def test_amd_registers_allow_the_waves_that_llvm_says(hsacos: list[Binary]) -> None:
    """LLVM comments the waves of a SIMD that a kernel's registers allow."""
    for binary in hsacos:
        told = re.search(r"^; Occupancy: (\d+)", binary.text, re.MULTILINE)
        target = Target.parse(binary.target)
        has = limits(target)
        used = from_hsaco(binary.data, amdgcn=binary.text)
        assert told
        assert has
        # A block with a wave for each SIMD: as many blocks as waves in one.
        blocks = block_limits(
            Resources(used.registers, shared_static_bytes=0, shared_dynamic_bytes=0, sgprs=used.sgprs), target, 4
        )
        assert blocks
        assert min(blocks["registers"], has.warps // 4) == int(told[1]), binary


#: ``CUDA_OCC_ERROR_UNKNOWN_DEVICE``, negated as the harness does.
UNKNOWN_DEVICE = -2
HARNESS = """
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include "cuda_occupancy.h"
int main(void) {
    struct cudaOccDeviceProp device; struct cudaOccFuncAttributes kernel;
    struct cudaOccDeviceState state; struct cudaOccResult out;
    int major, minor, threads, registers, reserved, dynamic, barriers, warps; long per_sm, per_block;
    while (scanf("%d %d %d %ld %ld %d %d %d %d %d", &major, &minor, &threads, &per_sm, &per_block, &reserved,
                 &warps, &registers, &dynamic, &barriers) == 10) {
        memset(&device, 0, sizeof device); memset(&kernel, 0, sizeof kernel); memset(&state, 0, sizeof state);
        device.computeMajor = major; device.computeMinor = minor; device.maxThreadsPerBlock = 1024;
        device.maxThreadsPerMultiprocessor = threads; device.regsPerBlock = device.regsPerMultiprocessor = 65536;
        device.warpSize = 32; device.sharedMemPerBlock = 49152; device.sharedMemPerMultiprocessor = per_sm;
        device.numSms = 1; device.sharedMemPerBlockOptin = per_block; device.reservedSharedMemPerBlock = reserved;
        kernel.maxThreadsPerBlock = INT_MAX; kernel.numRegs = registers;
        kernel.shmemLimitConfig = FUNC_SHMEM_LIMIT_OPTIN;
        kernel.maxDynamicSharedSizeBytes = dynamic; kernel.numBlockBarriers = barriers;
        state.carveoutConfig = SHAREDMEM_CARVEOUT_DEFAULT;
        int failed = cudaOccMaxActiveBlocksPerMultiprocessor(&out, &device, &kernel, &state, warps * 32, dynamic);
        printf("%d\\n", failed ? -failed : out.activeBlocksPerMultiprocessor);
    }
    return 0;
}
"""


def _occupancy_header() -> Path | None:
    roots = [candidate.path.parents[1] for name in ("nvdisasm", "ptxas") for candidate in tools.candidates(name)]  # type: ignore[arg-type]
    return next((root / "include" for root in roots if (root / "include" / "cuda_occupancy.h").is_file()), None)


def test_agrees_with_nvidias_own_calculator(tmp_path: Path) -> None:
    """Triton's wheel has the header that CUDA's occupancy calculator is; thousands of blocks on all architectures."""
    compiler, header = shutil.which("cc") or shutil.which("gcc"), _occupancy_header()
    if compiler is None or header is None:
        pytest.skip("needs a C compiler and cuda_occupancy.h")
    (tmp_path / "harness.c").write_text(HARNESS, encoding="utf-8")
    command = [compiler, "-w", f"-I{header}", str(tmp_path / "harness.c"), "-o", str(tmp_path / "harness")]
    subprocess.run(command, check=True)
    asked, ours = [], []
    for arch in CUDA:
        target = Target.parse(arch)
        has, capability = limits(target), target.capability
        assert has
        assert capability
        device = (*divmod(capability, 10), has.warps * 32, has.shared, has.shared_per_block, has.shared_reserved)
        values = itertools.product(
            (1, 2, 3, 4, 5, 8, 12, 16, 32),
            (8, 16, 31, 32, 40, 64, 72, 96, 128, 168, 200, 255),
            range(0, 240000, 7919),
            (0, 1, 3, 16),
        )
        for num_warps, registers, dynamic, barriers in values:
            asked.append(" ".join(map(str, (*device, num_warps, registers, dynamic, barriers))))
            ours.append(
                occupancy(_block(registers, dynamic=dynamic, barriers=barriers), target, num_warps).blocks_per_sm
            )
    done = subprocess.run(
        [str(tmp_path / "harness")], input="\n".join(asked), capture_output=True, text=True, check=True
    )
    theirs = [int(line) for line in done.stdout.split()]
    assert len(theirs) == len(ours)
    # The header of an older Triton does not know the newest architectures, nor we what it would say.
    compared = [(a, o, t) for a, o, t in zip(asked, ours, theirs, strict=True) if t != UNKNOWN_DEVICE]
    assert len(compared) > 10000
    assert [(a, o, t) for a, o, t in compared if o != t][:5] == []
