"""What a launch wrote, told from poison and copies: on tensors of the CPU, with functions that write as kernels do."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
np = pytest.importorskip("numpy")

from irscope.worker.launch import copies, outputs  # noqa: E402
from irscope.worker.launch.inputs import POISON, Guard  # noqa: E402


def observe(
    tensors: dict[str, Any],
    run: Callable[[], None],
    read: set[str] | None = frozenset(),  # type: ignore[assignment]
    written: set[str] | None = frozenset({"out"}),  # type: ignore[assignment]
    guards: dict[str, Guard] | None = None,
    save: Path | None = None,
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    watched = outputs.observed(tensors, read, written)
    snapshot = copies.Snapshot(watched.tensors)
    found, warnings = outputs.observe(watched, snapshot, guards or {}, run, written is not None, save)
    return {output["name"]: output for output in found}, warnings


TYPES = [
    torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.float8_e4m3fn, torch.float8_e5m2, torch.bool,
    torch.int8, torch.uint8, torch.int16, torch.uint16, torch.int32, torch.uint32, torch.int64, torch.uint64,
]  # fmt: skip


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_unwritten_elements_are_exact_in_every_type(dtype: Any) -> None:
    """Written elements hold every value there is of a byte: some are the first poison, some the second."""
    size = torch.empty(0, dtype=dtype).element_size()
    some = torch.arange(256, dtype=torch.uint8).repeat_interleave(size)
    if dtype is torch.bool:
        some = some % 2
    patterns = [torch.tensor([p[size]], dtype=torch.uint64).view(torch.uint8)[:size]
                for p in (outputs.FIRST_POISON, outputs.SECOND_POISON)]  # fmt: skip
    if dtype is not torch.bool:
        some = torch.cat([some, *patterns])
    values = some.view(dtype)
    out = torch.zeros(len(values) + 7, dtype=dtype)
    before = out.clone()
    found, _ = observe({"out": out}, lambda: out[: len(values)].copy_(values))
    assert found["out"]["written"] == len(values)
    assert found["out"]["elements"] == len(values) + 7
    assert not found["out"]["changed_only"]
    assert torch.equal(out.view(torch.uint8), before.view(torch.uint8)), "the arguments are as before"


def test_statistics_are_of_the_finite_elements_that_were_written() -> None:
    out = torch.full((4, 5), 7.0)
    values = torch.tensor([[3.0, math.nan, math.inf, -1.5, 2.0], [-math.inf, math.nan, 4.5, 0.0, 1.0]])

    def kernel() -> None:
        out[:2] = values

    found, _ = observe({"out": out}, kernel)
    assert found["out"] == {
        "name": "out", "type": "fp32", "shape": [4, 5], "elements": 20, "written": 10, "changed_only": False,
        "minimum": -1.5, "maximum": 4.5, "mean": pytest.approx(1.5), "nan": 2, "inf": 2,
        "first": [3.0, "nan", "inf", -1.5, 2.0, "-inf", "nan", 4.5], "outside": None,
    }  # fmt: skip


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_statistics_are_numpys(dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In parts as well as in one go."""
    monkeypatch.setattr(outputs, "CHUNK", 100)
    torch.manual_seed(0)
    values = (torch.rand(37, 29) * 2).to(torch.bool if dtype is torch.bool else torch.int64).to(dtype)
    if dtype.is_floating_point:
        values = (torch.randn(37, 29) * 3).to(dtype)
    exact = values.to(torch.float64).numpy()
    found = outputs.statistics(values)
    assert found["minimum"] == exact.min()
    assert found["maximum"] == exact.max()
    assert found["mean"] == pytest.approx(exact.mean(), rel=1e-12)
    assert (found["nan"], found["inf"]) == (0, 0)


def test_large_integers_are_not_rounded() -> None:
    values = torch.tensor([2**62 + 1, -(2**62) - 3], dtype=torch.int64)
    found = outputs.statistics(values)
    assert (found["minimum"], found["maximum"]) == (-(2**62) - 3, 2**62 + 1)
    assert outputs.first_elements(values) == [2**62 + 1, -(2**62) - 3]


@pytest.mark.parametrize("shape", [(3, 3, 3), (20,), (2, 100), (100, 2), (1, 5, 1, 4)])
def test_the_first_elements_are_in_the_order_of_the_indices(shape: tuple[int, ...]) -> None:
    values = torch.randn(shape)
    assert outputs.first_elements(values) == values.flatten()[:8].tolist()
    assert outputs.first_elements(values.t() if len(shape) == 2 else values.flatten()) == (
        (values.t() if len(shape) == 2 else values).flatten()[:8].tolist()
    )


def test_a_tensor_that_is_read_too_counts_its_changes() -> None:
    out = torch.arange(10.0)

    def kernel() -> None:
        out[3:6] *= 2

    found, _ = observe({"out": out}, kernel, read={"out"})
    assert (found["out"]["written"], found["out"]["changed_only"]) == (3, True)
    assert found["out"]["maximum"] == 10.0
    assert torch.equal(out, torch.arange(10.0))


def test_a_nan_that_stays_is_no_change() -> None:
    out = torch.tensor([math.nan, 1.0])
    found, _ = observe({"out": out}, lambda: None, read={"out"})
    assert found["out"]["written"] == 0


def test_nothing_written_at_all_shows() -> None:
    found, _ = observe({"out": torch.zeros(100)}, lambda: None)
    assert found["out"]["written"] == 0
    assert (found["out"]["minimum"], found["out"]["mean"]) == (None, None)
    assert found["out"]["first"] == [None] * 8


def test_unknown_access_lists_what_changed() -> None:
    x, out = torch.ones(5), torch.zeros(5)
    found, _ = observe({"x": x, "out": out}, lambda: out.copy_(x * 2), read=None, written=None)
    assert list(found) == ["out"]
    assert found["out"]["changed_only"]


def test_poison_never_reaches_what_another_parameter_reads() -> None:
    """Two parameters, one tensor: the kernel computes in place, though each parameter is read or written only."""
    x = torch.arange(1.0, 6.0)
    found, _ = observe({"x": x, "out": x.view(5)}, lambda: x.add_(1), read={"x"})
    assert (found["out"]["maximum"], found["out"]["changed_only"]) == (6.0, True)
    assert torch.equal(x, torch.arange(1.0, 6.0))


def test_views_of_one_storage_are_told_apart() -> None:
    whole = torch.arange(60.0).view(6, 10)
    tensors = {"x": whole[:3], "out": whole[3:, 2:7], "rest": whole.t()[8:, 3:]}

    def kernel() -> None:
        tensors["out"][:, :] = tensors["x"][:, :5] * 2
        tensors["rest"][0, 1] = -1

    before = whole.clone()
    found, _ = observe(tensors, kernel, read={"x"}, written={"out", "rest"})
    assert (found["out"]["written"], found["out"]["elements"]) == (15, 15)
    assert found["out"]["maximum"] == 48.0
    assert (found["rest"]["written"], found["rest"]["elements"], found["rest"]["minimum"]) == (1, 6, -1.0)
    assert found["rest"]["first"] == [None, -1.0, None, None, None, None]
    assert torch.equal(whole, before)


def test_expanded_tensors_count_each_element_in_memory_once() -> None:
    row = torch.zeros(4)

    def kernel() -> None:
        row[1] = 3

    found, _ = observe({"out": row.expand(5, 4)}, kernel)
    assert found["out"]["shape"] == [5, 4]
    assert (found["out"]["elements"], found["out"]["written"]) == (4, 1)
    assert found["out"]["first"] == [None, 3.0, None, None, None, 3.0, None, None]


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1,)])
def test_tensors_of_no_and_of_one_element(shape: tuple[int, ...]) -> None:
    out = torch.zeros(shape)
    found, _ = observe({"out": out}, lambda: out.fill_(2))
    assert found["out"]["written"] == out.numel()
    assert found["out"]["mean"] == (2.0 if out.numel() else None)


def test_descriptors_and_tuples_have_tensors() -> None:
    class Descriptor:
        def __init__(self, base: Any) -> None:
            self.base, self.block_shape = base, [4]

    pair = (torch.zeros(3), 5, torch.ones(2))
    arguments = {"d": Descriptor(torch.full((4,), 2.0)), "pair": pair, "n": 7, "nothing": None}
    tensors = copies.tensors_of(arguments)
    assert list(tensors) == ["d", "pair.0", "pair.2"]
    assert [copies.is_among(name, {"pair"}) for name in tensors] == [False, True, True]
    assert [copies.is_among(name, {"pair.2", "d"}) for name in tensors] == [True, False, True]
    other = {name: tensor + 1 for name, tensor in tensors.items()}
    assert copies.with_tensors(arguments["d"], "d", other).base[0] == 3.0
    assert arguments["d"].base[0] == 2.0
    rebuilt = copies.with_tensors(pair, "pair", other)
    assert rebuilt[1] == 5
    assert rebuilt[2][0] == 2.0


def guarded(dtype: Any, size: int, guard: int = 16) -> tuple[Any, Guard]:
    element = torch.empty(0, dtype=dtype).element_size()
    storage = torch.full(((size + 2 * guard) * element,), POISON, dtype=torch.uint8).view(dtype)
    return storage[guard : guard + size], Guard(storage, guard, guard + size)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.int8, torch.float64], ids=str)
def test_writes_outside_are_counted(dtype: Any) -> None:
    out, guard = guarded(dtype, 10)
    whole = guard.storage

    def kernel() -> None:
        out.fill_(1)
        whole[guard.end : guard.end + 3] = 1
        whole[guard.start - 2] = 0

    found, _ = observe({"out": out}, kernel, guards={"out": guard})
    assert (found["out"]["outside"], found["out"]["written"]) == (4, 10)
    clean, _ = observe({"out": out}, lambda: out.fill_(1), guards={"out": guard})
    assert clean["out"]["outside"] == 0, "the guard of the launch before does not count"


def test_writes_outside_of_a_tensor_that_is_only_read_are_a_warning() -> None:
    x, guard = guarded(torch.float32, 10)

    def kernel() -> None:
        guard.storage[0] = 0

    found, warnings = observe({"x": x, "out": torch.zeros(3)}, kernel, read={"x"}, guards={"x": guard})
    assert list(found) == ["out"]
    assert warnings == ["1 element written outside of 'x', which the kernel only reads"]


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_saved_files_are_read_by_numpy_without_loss(dtype: Any, tmp_path: Path) -> None:
    out = torch.zeros(3, 8, dtype=dtype).t()
    values = torch.arange(21).remainder(2 if dtype is torch.bool else 21).to(dtype).view(7, 3)

    def kernel() -> None:
        out[:7] = values

    found, warnings = observe({"out": out}, kernel, save=tmp_path / "saved")
    file = Path(found["out"]["file"])
    array = torch.from_numpy(np.load(file))
    assert tuple(array.shape) == (8, 3)
    assert torch.equal(array.view(torch.uint8), torch.cat([values, torch.zeros(1, 3, dtype=dtype)]).view(torch.uint8))
    assert bool(warnings) == (dtype in (torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2))


def test_a_snapshot_keeps_strides_and_what_tensors_share() -> None:
    whole = torch.arange(40.0)
    tensors = {"a": whole[2:20].view(3, 6)[:, ::2], "b": whole[10:30], "c": whole[35:].expand(2, 5)}
    snapshot = copies.Snapshot(tensors, "cpu")
    views = {name: snapshot.view(name) for name in tensors}
    for name, tensor in tensors.items():
        assert torch.equal(views[name], tensor)
        assert views[name].stride() == tensor.stride()
    views["b"][0] = -1
    assert views["a"][1, 1] == -1, "element 10 belongs to both"
    whole.zero_()
    snapshot.restore()
    expected = torch.arange(40.0)
    expected[10] = -1
    for start, end in ((2, 30), (35, 40)):
        assert torch.equal(whole[start:end], expected[start:end])
    assert not whole[31:34].any()
