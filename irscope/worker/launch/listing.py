"""The request ``list_launches``: every launch that a file's own code makes, on a GPU or without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .. import versions
from ..protocol import Rejected, Wire
from . import capture, faults, redirect, standins
from .interpret import require_interpreter
from .interpreted import Earlier
from .resolve import Wanted
from .settle import ended_early, in_words

#: Seconds that all launches together may take in the interpreter; those after that do nothing.
INTERPRETER_SECONDS = 10.0


def list_launches(request: dict[str, Any], wire: Wire) -> dict[str, Any]:
    """Answer ``list_launches``: run the file's launch code to its end and tell what it launched.

    Each is told as the event ``site`` when it is first made, for a file that never comes to its end.

    With ``gpu`` false its CUDA tensors lie on the CPU, and its launches run in Triton's interpreter while there is
    time. Raises `Rejected` as `faults.require_cuda` or `redirect.redirected` do, and for a file that ends before it
    launched anything.
    """
    wire.send("phase", phase="loading")
    path = Path(request["path"])
    wanted = Wanted(request.get("kernel"), None, request.get("configuration"), bool(request.get("autotune")))
    entry = request.get("entry")
    first_made: list[dict[str, Any]] = []

    def told(site: dict[str, Any]) -> None:
        first_made.append(site)
        wire.send("site", site=site)

    if request.get("gpu", True):
        torch = faults.require_cuda(request["device"])
        with faults.told(wire, faults.Subject(request["path"])):
            torch.cuda.set_device(request["device"])
            wire.send("phase", phase="capturing")
            recording = capture.record(path, entry, wanted, on_site=told)
            torch.cuda.synchronize()
        return listed(recording, path, [])
    require_interpreter()
    wire.send("phase", phase="capturing")
    earlier = Earlier(INTERPRETER_SECONDS)
    notes = ["without a GPU: the file's CUDA tensors lie on the CPU, and its kernels run in Triton's interpreter"]
    try:
        with redirect.redirected(versions.gpu_target(**request["target"])), comparisons_hold(earlier):
            recording = capture.record(path, entry, wanted, earlier.run, told)
    except Rejected as error:
        # What the interpreter refuses to run has been found all the same.
        if not first_made:
            raise
        return {"sites": first_made, "warnings": [*notes, f"the file did not come to its end: {error}"]}
    if earlier.gave_up:
        notes.append(f"after {INTERPRETER_SECONDS:g} s of that its kernels did nothing: it may go another way then")
    return listed(recording, path, notes)


def listed(recording: capture.Recording, path: Path, notes: list[str]) -> dict[str, Any]:
    if recording.error is not None:
        if not recording.sites:
            raise ended_early(recording.error, path, "it launched a kernel")
        notes.append(f"the file did not come to its end: {in_words(recording.error)}")
    return {"sites": recording.sites, "warnings": [*notes, *recording.warnings]}


@contextmanager
def comparisons_hold(earlier: Earlier) -> Iterator[None]:
    """Within, torch's comparisons hold once kernels have done nothing, lest the file ends at the first of them."""
    import torch

    def holding(compare: Callable[..., Any], holds: Any) -> Callable[..., Any]:
        def answer(*arguments: Any, **named: Any) -> Any:
            return holds if earlier.gave_up else compare(*arguments, **named)

        return answer

    compared = [(torch, "allclose"), (torch.Tensor, "allclose"), (torch, "equal"), (torch.Tensor, "equal")]
    replacements = [(owner, name, holding(getattr(owner, name), True)) for owner, name in compared]
    replacements.append((torch.testing, "assert_close", holding(torch.testing.assert_close, None)))
    with standins.replaced(replacements):
        yield
