from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from binaries import Binary, compile_all, compiled_in
from samples import SAMPLES

from irscope import session
from irscope.model import Compilation, Target
from irscope.request import Request


def pytest_configure() -> None:
    """A shell ignores Ctrl-C for what it starts in the background; some tests send it to what they start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


#: A limit for a machine that is very busy.
SECONDS_TO_COMPILE_ALL = 300.0


@pytest.fixture(scope="session", autouse=True)
def own_directories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A store and a configuration of this test session's own, never the user's."""
    os.environ["IRSCOPE_CACHE_DIR"] = str(tmp_path_factory.mktemp("irscope-cache"))
    os.environ["IRSCOPE_CONFIG_DIR"] = str(tmp_path_factory.mktemp("irscope-config"))
    yield
    session.close()


@pytest.fixture(scope="session")
def compiled_sample(own_directories: None) -> Callable[[str, str], Compilation]:
    """Compile ``FILE::KERNEL`` for a target, once a test session."""

    @cache
    def compiled(path: str, target: str = "sm_90") -> Compilation:
        file, _, kernel = path.rpartition("::")
        return session.open(Request(Path(file), kernel or None, Target.parse(target)))

    return compiled


@pytest.fixture(scope="session")
def matmul(compiled_sample: Callable[[str, str], Compilation]) -> Compilation:
    return compiled_sample(f"{SAMPLES / 'matmul.py'}::matmul_kernel", "sm_90")


@pytest.fixture(scope="session")
def binaries(tmp_path_factory: pytest.TempPathFactory) -> list[Binary]:
    """Cubins for every CUDA target and code objects for every AMD one, compiled by the Triton that is installed.

    Once for all processes of pytest-xdist, which have a folder each below one of the run.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return compile_all(tmp_path_factory.mktemp("binaries"))
    folder = tmp_path_factory.getbasetemp().parent / "binaries"
    done = folder / "done"
    try:
        folder.mkdir()
    except FileExistsError:
        end = time.monotonic() + SECONDS_TO_COMPILE_ALL
        while not done.exists() and time.monotonic() < end:
            time.sleep(0.2)
        assert done.read_text() == "all", "the process that compiles them failed"
        return compiled_in(folder)
    try:
        found = compile_all(folder)
    except BaseException:
        done.write_text("failed")
        raise
    done.write_text("all")
    return found


@pytest.fixture(scope="session")
def cubins(binaries: list[Binary]) -> list[Binary]:
    return [binary for binary in binaries if binary.is_cuda]


@pytest.fixture(scope="session")
def hsacos(binaries: list[Binary]) -> list[Binary]:
    return [binary for binary in binaries if not binary.is_cuda]


SUPPORTED_TRITONS = ("3.3.1", "3.4.0", "3.5.1", "3.6.0", "3.7.1", "3.8.0", "3.9.0")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--tritons",
        default=f"{SUPPORTED_TRITONS[0]},{SUPPORTED_TRITONS[-1]}",
        help="versions for the tests marked 'versions': a list with commas, or 'all'; default: oldest and newest",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "triton" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--tritons")
        metafunc.parametrize("triton", SUPPORTED_TRITONS if chosen == "all" else chosen.split(","))
