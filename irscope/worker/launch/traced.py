"""Triton's interpreter, watched: which programs run, what they read and write, when it must stop.

Nothing of the interpreter is replaced. Its grid loop asks ``set_grid_idx`` to go to the next program and passes
every access through four functions of its C++ module: both are observed (`interpreter`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..protocol import Rejected
from . import interpreter

#: Seconds between two reports of progress.
REPORT = 0.2

Report = Callable[[int, int], None]


class Stop(BaseException):
    """The time is up. No Exception, which the interpreter would wrap."""


class Memory:
    """The memory of a launch's tensors, and what is read and written of it, element by element.

    An access outside of it is refused: it would be one of this process's own memory.
    """

    def __init__(self, tensors: Mapping[str, Any]) -> None:
        self.tensors = dict(tensors)
        storages: dict[int, dict[str, Any]] = {}
        for name, tensor in self.tensors.items():
            storages.setdefault(tensor.untyped_storage().data_ptr(), {})[name] = tensor
        self.blocks = [Block(members) for address, members in storages.items() if address]
        self.program: tuple[int, ...] = ()

    def access(self, kind: str, pointers: Any, mask: Any, size: int) -> None:
        """Note an access of ``size`` bytes at each of an array of addresses where ``mask`` is true.

        Args:
            kind: "load", "store" or "atomic".
        """
        addresses = pointers[mask] if mask is not None else pointers.reshape(-1)
        if addresses.size == 0:
            return
        low, high = int(addresses.min()), int(addresses.max()) + size
        block = next((block for block in self.blocks if block.start <= low and high <= block.end), None)
        if block is not None:
            block.note(kind, addresses, size)
            return
        left = addresses
        for block in self.blocks:
            inside = (left >= block.start) & (left + size <= block.end)
            if inside.any():
                block.note(kind, left[inside], size)
                left = left[~inside]
        if left.size:
            self.refuse(kind, int(left[0]), int(left.size), size)

    def refuse(self, kind: str, address: int, count: int, size: int) -> None:
        verb = {"load": "reads from", "store": "writes to"}.get(kind, "changes")
        nearest = min(self.blocks, key=lambda block: block.distance(address), default=None)
        where = ""
        if nearest is not None:
            name, tensor = next(iter(nearest.members.items()))
            if nearest.distance(address) < 1 << 40:
                element = (address - tensor.data_ptr()) // tensor.element_size()
                where = f"; the first is element {element} of '{name}', which has {tensor.numel()}"
        program = f"program {self.program}" if self.program else "a program"
        raise Outside(
            f"{program} {verb} {count} address{'es' if count > 1 else ''} outside of the arguments' tensors{where}"
        )

    def written(self, name: str) -> Any:
        """A mask of the elements of this tensor that were written, of its shape."""
        import torch

        tensor = self.tensors[name]
        if not tensor.numel():
            return torch.zeros(tensor.size(), dtype=torch.bool)
        block = self.block(name)
        factor = tensor.element_size() // block.unit
        offset = (tensor.data_ptr() - block.start) // block.unit
        mask = torch.from_numpy(block.written)
        return mask.as_strided(tensor.size(), [stride * factor for stride in tensor.stride()], offset)

    def block(self, name: str) -> Block:
        return next(block for block in self.blocks if name in block.members)


@contextmanager
def guarded(tensors: Mapping[str, Any]) -> Iterator[None]:
    """Within, a kernel in the interpreter that leaves these tensors raises `Outside`, and this process lives."""
    with interpreter.accesses(Memory(tensors).access):
        yield


class Outside(Exception):
    """A kernel reads or writes outside of its arguments."""


class Block:
    """The memory of tensors that share it, as one stretch of addresses.

    The whole of torch's storage, since a kernel may walk from a view to what lies around it.
    """

    def __init__(self, members: Mapping[str, Any]) -> None:
        import numpy

        self.members = dict(members)
        storage = next(iter(members.values())).untyped_storage()
        self.start: int = storage.data_ptr()
        self.end: int = storage.data_ptr() + storage.nbytes()
        #: Bytes that an entry of `written` stands for.
        self.unit = min(tensor.element_size() for tensor in members.values())
        self.written = numpy.zeros(-(-(self.end - self.start) // self.unit), dtype=bool)
        self.read = False

    def distance(self, address: int) -> int:
        return max(self.start - address, address - self.end + 1, 0)

    def note(self, kind: str, addresses: Any, size: int) -> None:
        if kind != "store":
            self.read = True
        if kind != "load":
            first = (addresses - self.start) // self.unit
            for further in range(max(size // self.unit, 1)):
                self.written[first + further] = True


class Run:
    """One launch in the interpreter: programs in an order that is spread over the grid, until the time is up."""

    def __init__(self, grid: tuple[int, ...], seconds: float, memory: Memory, report: Report) -> None:
        self.grid = (*grid, 1, 1)[:3]
        self.programs = math.prod(self.grid)
        self.programs_run = 0
        self.seconds = 0.0
        self.limit = seconds
        self.memory = memory
        self.report = report
        #: Element types that went into matrix products, in torch's names; fp32 ones are tf32 where that is allowed.
        self.computed_in: set[str] = set()

    @property
    def complete(self) -> bool:
        return self.programs_run == self.programs

    def run(self, function: Any, arguments: Mapping[str, Any]) -> None:
        """Run an InterpretedFunction on arguments on the CPU, constexprs among them, which it changes in place.

        Raises whatever the kernel's Python raises, `Outside` among it; Triton's InterpreterError has it as its cause.
        """
        step = spread(self.programs)
        start = last_report = time.monotonic()

        def begin(number: int) -> tuple[int, ...]:
            nonlocal last_report
            now = time.monotonic()
            self.programs_run = number
            if number and now - start > self.limit:
                raise Stop
            if now - last_report > REPORT:
                last_report = now
                self.report(number, self.programs)
            self.memory.program = position(number * step % self.programs, self.grid)
            return self.memory.program

        if not self.programs:
            return
        try:
            with (
                interpreter.repaired(),
                interpreter.on_grid(self.grid, begin),
                interpreter.accesses(self.memory.access),
                interpreter.products(self.computed_in.add),
            ):
                function[(self.programs, 1, 1)](**arguments)
            self.programs_run = self.programs
        except Stop:
            pass
        finally:
            self.seconds = time.monotonic() - start
            self.report(self.programs_run, self.programs)


def spread(count: int) -> int:
    """A step that visits all of ``count`` places once, and of any time after the start fairly evenly.

    Multiples of the golden ratio, modulo 1, are spread as evenly as a sequence can be.
    """
    step = max(round(count * (math.sqrt(5) - 1) / 2), 1)
    while math.gcd(step, count) != 1:
        step += 1
    return step


def position(number: int, grid: tuple[int, ...]) -> tuple[int, int, int]:
    """The program of that number, the first axis changing fastest, as on a GPU."""
    x, rest = number % grid[0], number // grid[0]
    return x, rest % grid[1], rest // grid[1]


def explain(error: BaseException, kernel: str) -> Rejected | None:
    """What a failure within the interpreter means, where it is the interpreter's own; ``None`` for the file's."""
    if not is_about_interpreter(error):
        return None
    cause = innermost(error)
    line = place(cause)
    if isinstance(cause, Outside):
        return Rejected("interpreter", f"{kernel}: {cause}", **line, hint="check the mask of this access, and the grid")
    text = str(cause) or type(cause).__name__
    what = text.partition(" not ")[0] if " not supported" in text or " not implemented" in text else text
    return Rejected(
        "interpreter", f"Triton's interpreter does not support {what}, which {kernel} uses", **line,
        hint="only a launch on the GPU shows what this kernel computes",
    )  # fmt: skip


def is_about_interpreter(error: BaseException) -> bool:
    """Whether a failure says that the interpreter cannot go on, rather than what the file's Python does wrong."""
    cause = innermost(error)
    text = str(cause)
    unsupported = isinstance(cause, NotImplementedError) or "not supported" in text or "unsupported" in text
    return isinstance(cause, Outside) or (unsupported and type(error).__name__ == "InterpreterError")


def innermost(error: BaseException) -> BaseException:
    """The exception that began it: the interpreter wraps it once for each function that it passes."""
    while type(error).__name__ == "InterpreterError" and error.__cause__ is not None:
        error = error.__cause__
    return error


def place(error: BaseException) -> dict[str, Any]:
    """File and line of the last frame in code that is not installed."""
    import traceback
    from pathlib import Path

    from ..loading import is_installed

    own = Path(__file__).parent.parent
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_file() and not is_installed(file) and own not in file.parents:
            return {"file": str(file), "line": frame.lineno}
    return {}
