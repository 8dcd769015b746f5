"""``torch.distributed`` with no GPU: this process alone is the group, or the first rank where there would be more."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from typing import Any

from . import standins


def replacements() -> Iterator[standins.Replacement]:
    """In place of what starts a group of processes, by NCCL above all, which ends a process that has no GPU."""
    import torch

    if not torch.distributed.is_available():
        return
    distributed: Any = torch.distributed
    begin, add = distributed.init_process_group, distributed.new_group

    def init_process_group(backend: Any = None, *_: Any, world_size: int = -1, **__: Any) -> None:
        size = world_size if world_size > 0 else int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1 and distributed.is_gloo_available():
            begin("gloo", store=distributed.HashStore(), rank=0, world_size=1)
        else:  # its collectives leave every tensor as it is
            fake = importlib.import_module("torch.testing._internal.distributed.fake_pg")
            begin("fake", store=fake.FakeStore(), rank=0, world_size=size)

    def new_group(ranks: Any = None, *_: Any, **__: Any) -> Any:
        return add(ranks)

    yield distributed, "init_process_group", init_process_group
    yield distributed, "new_group", new_group
    yield distributed, "is_nccl_available", standins.answering(True)
