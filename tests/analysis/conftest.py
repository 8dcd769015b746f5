"""TTIR of the kernels in ``kernels/``, made once a test session."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import pytest
from made_ttir import compile_ttir


@pytest.fixture(scope="session")
def ttir(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    return compile_ttir(sys.executable, tmp_path_factory.mktemp("ttir"))
