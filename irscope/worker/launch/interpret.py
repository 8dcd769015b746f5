"""The request ``interpret``: a kernel in Triton's interpreter on the CPU, in a worker with ``TRITON_INTERPRET=1``.

With a folder that the launch's worker has filled, what the GPU wrote is compared. Without, there is no GPU: the
file's own launch, or one on made inputs, is run here, and what it wrote is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .. import loading, versions
from ..protocol import Rejected, Wire
from . import comparing, copies, outputs, redirect, settle, traced

#: Seconds for a launch where the request says nothing.
DEFAULT_SECONDS = 60.0


def interpret(request: dict[str, Any], wire: Wire) -> dict[str, Any]:
    """Answer an ``interpret`` request: with ``folder`` the fields of ``model.Check``, else those of a launch.

    Raises:
        Rejected: besides what loading the file and its launch code may raise, kind "interpreter": the kernel does
            what Triton's interpreter cannot do, or reads or writes outside of its arguments.
    """
    require_interpreter()
    if request.get("folder"):
        return check_launch(request, wire)
    from . import interpreted

    return interpreted.launch(request, wire)


def require_interpreter() -> None:
    """Raises `Rejected` where this process, or its Python, has no interpreter."""
    if not versions.interpreting():
        raise Rejected("internal", "this worker was started without TRITON_INTERPRET=1")
    for module in ("torch", "numpy"):
        redirect.require(module, "Triton's interpreter")


def check_launch(request: dict[str, Any], wire: Wire) -> dict[str, Any]:
    """Run the launch that ``save_launch`` saved, and compare what it wrote."""
    folder = Path(request["folder"])
    wire.send("phase", phase="loading")
    saved = load(folder / "arguments.pt")
    arguments, grid = saved["arguments"], tuple(saved["grid"])
    with redirect.redirected(versions.gpu_target(**request["target"])):
        kernel = kernel_of(Path(request["path"]), request.get("kernel"))
    run = start(kernel, {**arguments, **saved["constexprs"]}, grid, request, wire)
    results = load(folder / "outputs.pt")
    before = copies.tensors_of(load(folder / "arguments.pt")["arguments"])
    named = request.get("written")
    names = [name for name in results if named is None or copies.is_among(name, named)]
    comparisons, reasons = [], []
    for name in names:
        comparison, reason = compared(name, results[name], before[name], run)
        if comparison is not None:
            comparisons.append(comparison)
        elif reason:
            reasons.append(reason)
    # A tensor that the compiler says is written, and nothing wrote, on either side, is right.
    nothing_written = not comparisons and not reasons
    if nothing_written:
        reasons = ["the kernel wrote nothing, neither here nor on the GPU"]
    failed = [found["name"] for found in comparisons if found["error"] is None]
    if failed:
        reasons.append(f"NaN or Inf in {', '.join(failed)} on one side alone")
    return {
        "against": "interpreter",
        "passed": bool(comparisons or nothing_written) and all(found["passed"] for found in comparisons),
        "comparisons": comparisons,
        "programs_run": run.programs_run,
        "programs": run.programs,
        "seconds": run.seconds,
        "message": "; ".join(reasons) or None,
    }


def compared(name: str, out: Any, before: Any, run: traced.Run) -> tuple[dict[str, Any] | None, str | None]:
    """Comparison of what the GPU made of a tensor with what the interpreter made of it, or why there is none."""
    memory = run.memory
    written, want = memory.written(name), memory.tensors[name]
    is_read = memory.block(name).read and bool(written.any())
    if run.complete:
        # What the GPU alone wrote is wrong too. Bits tell, since NaN may have been there before.
        written = written | (outputs.as_integers(out) != outputs.as_integers(before))
    elif is_read:
        return None, (
            f"not compared: {name}, which the kernel reads as well, after {run.programs_run} of {run.programs} programs"
        )
    if not bool(written.any()):
        return None, None if run.complete else f"not compared: {name}, which no program wrote so far"
    tolerance = comparing.tolerance_of(out.dtype, run.computed_in)
    return comparing.compare(name, out, want, tolerance, None if bool(written.all()) else written), None


def start(
    kernel: Any, arguments: dict[str, Any], grid: tuple[int, ...], request: dict[str, Any], wire: Wire
) -> traced.Run:
    """Run an InterpretedFunction on arguments on the CPU, which it changes, and give what it did."""

    def report(done: int, total: int) -> None:
        wire.send("phase", phase="checking", done=done, total=total)

    memory = traced.Memory(copies.tensors_of(arguments))
    run = traced.Run(grid, float(request.get("seconds") or DEFAULT_SECONDS), memory, report)
    with explained(kernel.fn.__name__):
        run.run(kernel, arguments)
    return run


@contextmanager
def explained(kernel: str) -> Iterator[None]:
    """Within, a failure of Triton's interpreter is `Rejected` in words; of the kernel's Python it is itself."""
    try:
        yield
    except Exception as caught:
        rejected, error = traced.explain(caught, kernel), traced.innermost(caught)
        # Raised here, the cause of what was caught has that as its context: a circle, unless it is cut.
        if error is not caught:
            caught.__cause__ = caught.__context__ = None
        raise rejected or error from None


def kernel_of(path: Path, name: str | None) -> Any:
    """The InterpretedFunction of a kernel of the file."""
    module = loading.load_file(path)
    return settle.launchable(module, loading.choose(loading.kernels_of(module), name, path))


def load(file: Path) -> Any:
    """What the launch's worker saved: Triton's own types are among it, so that this is no file for strangers."""
    import torch

    return torch.load(file, map_location="cpu", weights_only=False)
