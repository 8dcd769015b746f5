from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from binaries import Binary

from irscope import tools

# Loaded while sys.path is whole: the tests take it away.
from irscope.ir import cubin as cubin
from irscope.request import IrscopeError


def _program(folder: Path, name: str, body: str) -> Path:
    """A stand-in for a tool that is not at hand, such as one that refuses every file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No package, no toolkit and nothing on PATH has a tool."""
    monkeypatch.setattr(sys, "path", [str(tmp_path / "packages")])
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("CUDA_PATH", raising=False)
    monkeypatch.delenv("CUDA_HOME", raising=False)
    monkeypatch.setattr(tools, "_triton_wheel", list)
    return tmp_path


def test_nvdisasm_is_the_packages_own_and_says_its_version() -> None:
    tool = tools.find("nvdisasm")
    assert tool.origin == "the package nvidia-cuda-nvdisasm"
    assert tool.path.is_file()
    assert tool.version is not None
    printed = subprocess.run([tool.path, "--version"], capture_output=True, text=True, check=True).stdout
    assert f"V{tool.version}" in printed


def test_ptxas_is_tritons_first() -> None:
    assert tools.find("ptxas").origin == "Triton's wheel"
    assert tools.find("ptxas").path.parent.parts[-3:] == ("backends", "nvidia", "bin")


def test_looking_up_imports_neither_triton_nor_a_package_of_nvidias() -> None:
    code = "import sys; from irscope.tools import find; find('nvdisasm'); find('ptxas'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "irscope.tools" in loaded
    assert not loaded & {"triton", "torch", "nvidia", "elftools", "importlib.metadata"}


def test_a_missing_tool_names_the_command_that_installs_it(nowhere: Path) -> None:
    with pytest.raises(IrscopeError) as failure:
        tools.find("nvdisasm")
    assert failure.value.exit_code == 3
    if sys.platform != "darwin":
        assert failure.value.failure.hint is not None
        assert failure.value.failure.hint.endswith(" nvidia-cuda-nvdisasm")


@pytest.mark.skipif(os.name == "nt", reason="the stand-ins are scripts with a #! line")
def test_places_are_tried_in_order(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path = _program(nowhere / "bin", "nvdisasm", "")
    toolkit = _program(nowhere / "toolkit" / "bin", "nvdisasm", "")
    older = _program(nowhere / "packages" / "nvidia" / "cu9" / "bin", "nvdisasm", "")
    newer = _program(nowhere / "packages" / "nvidia" / "cu13" / "bin", "nvdisasm", "")
    monkeypatch.setenv("CUDA_HOME", str(nowhere / "toolkit"))
    found = list(tools.candidates("nvdisasm"))
    assert [tool.path for tool in found] == [newer, older, toolkit, on_path]
    assert [tool.origin for tool in found[2:]] == ["CUDA toolkit at CUDA_HOME", "PATH"]


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a script with a #! line")
def test_a_refusal_says_what_to_upgrade(nowhere: Path, cubins: list[Binary]) -> None:
    body = "import sys\nif '--version' in sys.argv: print('V11.8.0')\nelse: sys.exit('nvdisasm fatal   : Unknown ABI')"
    _program(nowhere / "bin", "nvdisasm", body)
    with pytest.raises(IrscopeError, match=r"nvdisasm 11\.8\.0 \(PATH\) refused the cubin: Unknown ABI") as failure:
        tools.disassemble(cubins[0].data, "-c")
    assert failure.value.exit_code == 3
    assert "--upgrade nvidia-cuda-nvdisasm" in (failure.value.failure.hint or "")


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a script with a #! line")
def test_a_tool_that_hangs_is_stopped(nowhere: Path) -> None:
    _program(nowhere / "bin", "nvdisasm", "import time\ntime.sleep(60)")
    with pytest.raises(IrscopeError, match=r"longer than 0\.2 s"):
        tools.disassemble(b"", timeout=0.2)


def test_a_damaged_cubin_is_not_blamed_on_nvdisasm(cubins: list[Binary]) -> None:
    for data in (b"junk", cubins[0].data[:3000]):
        with pytest.raises(IrscopeError) as failure:
            tools.disassemble(data, "-c")
        assert failure.value.exit_code == 1
        assert "cubin" in str(failure.value)
        assert "irscope-" not in str(failure.value)


def test_source_lines_are_no_condition() -> None:
    """``-gi`` prints the instructions of a cubin that has no line table as well."""
    ptx = (Path(__file__).parent / "data" / "static_shared.ptx").read_text(encoding="utf-8")
    cubin = tools.assemble(ptx.replace("@VERSION@", "8.3").replace("@TARGET@", "sm_80"), "sm_80")
    listing = tools.disassemble(cubin, "-gi", "-c")
    assert "EXIT" in listing
    assert "//## File" not in listing


def test_ptx_that_ptxas_does_not_accept_is_told() -> None:
    with pytest.raises(IrscopeError) as failure:
        tools.ptxas_verbose("this is no PTX", "sm_80")
    assert failure.value.exit_code == 1
    assert failure.value.failure.detail
