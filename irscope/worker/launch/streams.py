"""Streams, events, device guards and graphs of CUDA where there is none: all has happened already."""

from __future__ import annotations

from typing import Any


class Stream:
    """A stream on which everything has already happened; a context manager and a graph's pool as well."""

    cuda_stream = stream_id = device_index = 0
    device_type = 1
    priority = 0

    def __init__(self, *_: Any, **__: Any) -> None:
        import torch

        self.device = torch.device("cuda", 0)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream)

    def __hash__(self) -> int:
        return 0

    def query(self) -> bool:
        return True

    def is_capturing(self) -> bool:
        return False

    def record_event(self, event: Event | None = None) -> Event:
        return event or Event()

    def nothing(self, *_: Any, **__: Any) -> None:
        return None

    synchronize = wait_event = wait_stream = nothing


class Event:
    """An event that has happened; a millisecond lies between two of them, so that rates stay finite."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def elapsed_time(self, other: Event) -> float:
        return 1.0

    def query(self) -> bool:
        return True

    def nothing(self, *_: Any, **__: Any) -> None:
        return None

    record = wait = synchronize = nothing


class Guard:
    """``torch.cuda.device`` and its kin: there is one device, and it is the current one."""

    idx = prev_idx = 0

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __enter__(self) -> Guard:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __call__(self, function: Any) -> Any:
        return function


class Graph(Guard):
    """A CUDA graph: what is captured runs while it is captured, and never again."""

    def nothing(self, *_: Any, **__: Any) -> None:
        return None

    capture_begin = capture_end = replay = reset = instantiate = debug_dump = enable_debug_mode = nothing

    def pool(self) -> tuple[int, int]:
        return (0, 0)
