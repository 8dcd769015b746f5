"""What is told of an interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from irscope.interpreter import install_command


@pytest.mark.parametrize("with_pip", [True, False])
def test_the_command_that_installs_is_one_that_the_environment_has(tmp_path: Path, with_pip: bool) -> None:
    environment = tmp_path / "an environment"
    options = [] if with_pip else ["--without-pip"]
    subprocess.run([sys.executable, "-m", "venv", *options, str(environment)], check=True)
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    has_pip = subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True).returncode == 0
    assert has_pip == with_pip
    told = f'"{python}" -m pip install numpy torch' if with_pip else f'uv pip install --python "{python}" numpy torch'
    assert install_command(python, "numpy torch") == told
