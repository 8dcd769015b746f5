"""Verdicts on the kernels in ``tests/kernels/verdicts``, each compiled once a test session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pytest
from samples import KERNELS
from telling import Told, check

from irscope import session
from irscope.analysis.verdicts import verdicts
from irscope.model import Target
from irscope.request import Request

FOLDER = KERNELS / "verdicts"


@pytest.fixture(scope="session")
def told(own_directories: None) -> Callable[..., Told]:
    """``told("FILE::KERNEL", "sm_90", {constants}, {arguments}, {options})``."""

    @cache
    def answer(path: str, target: str, *settings: tuple[tuple[str, Any], ...]) -> Told:
        file, _, kernel = path.partition("::")
        constants, arguments, options = (dict(part) for part in settings)
        request = Request(
            FOLDER / f"{file}.py",
            kernel,
            Target.parse(target),
            constants={name: repr(value) for name, value in constants.items()},
            arguments=arguments,
            options={name: str(value) for name, value in options.items()},
        )
        compilation = session.open(request)
        assert compilation.failure is None
        found = tuple(verdicts(compilation))
        for verdict in found:
            check(compilation, verdict)
        return Told(compilation, found)

    def tell(path: str, target: str = "sm_90", *settings: Mapping[str, Any]) -> Told:
        parts = [tuple(sorted(part.items())) for part in settings]
        return answer(path, target, *parts, *[()] * (3 - len(parts)))

    return tell
