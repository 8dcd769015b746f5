from __future__ import annotations

import errno
import json
import re
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from irscope import bundle
from irscope.launch.model import Launch, Timing
from irscope.model import Compilation


@pytest.mark.parametrize("name", ["folder", "one.irscope"])
def test_a_bundle_reads_back_as_it_was_written(matmul: Compilation, tmp_path: Path, name: str) -> None:
    bundle.write(matmul, tmp_path / name)
    assert bundle.is_bundle(tmp_path / name)
    assert bundle.read(tmp_path / name) == matmul


def test_writing_leaves_nothing_else_behind(matmul: Compilation, tmp_path: Path) -> None:
    bundle.write(matmul, tmp_path / "folder")
    bundle.write(matmul, tmp_path / "one.irscope")
    bundle.write(matmul, tmp_path / "one.irscope")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["folder", "one.irscope"]


def test_an_existing_folder_is_not_overwritten(matmul: Compilation, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "precious").touch()
    with pytest.raises(OSError):
        bundle.write(matmul, tmp_path / "folder")
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_a_failed_write_leaves_nothing_behind(
    matmul: Compilation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    monkeypatch.setattr(Path, "write_bytes", full)
    for name in ("one.irscope", "folder"):
        with pytest.raises(OSError, match="No space"):
            bundle.write(matmul, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are another matter there")
def test_a_saved_bundle_can_be_read_by_whoever_reads_other_files(matmul: Compilation, tmp_path: Path) -> None:
    bundle.write(matmul, tmp_path / "one.irscope")
    (tmp_path / "other").touch()
    assert (tmp_path / "one.irscope").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_every_changed_file_is_noticed(matmul: Compilation, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    bundle.write(matmul, folder)
    for file in sorted(folder.iterdir()):
        content = file.read_bytes()
        file.write_bytes(content + b"x" if file.name != bundle.MANIFEST else content[:-3])
        with pytest.raises(bundle.DamagedBundle):
            bundle.read(folder)
        file.unlink()
        with pytest.raises(bundle.DamagedBundle, match=re.escape(file.name)):
            bundle.read(folder)
        file.write_bytes(content)
    assert bundle.read(folder) == matmul


def test_a_cut_off_zip_is_noticed(matmul: Compilation, tmp_path: Path) -> None:
    whole = tmp_path / "one.irscope"
    bundle.write(matmul, whole)
    content = whole.read_bytes()
    for length in range(0, len(content), len(content) // 20):
        whole.write_bytes(content[:length])
        with pytest.raises(bundle.DamagedBundle):
            bundle.read(whole)


@pytest.mark.parametrize("name", ["../escaped", "..\\escaped", "/etc/hostname", "sub/file"])
def test_a_manifest_cannot_name_files_outside(matmul: Compilation, tmp_path: Path, name: str) -> None:
    path = tmp_path / "one.irscope"
    files = bundle.files_of(matmul)
    manifest = json.loads(files[bundle.MANIFEST])
    manifest["stages"][0]["file"] = name
    manifest["sha256"][name] = "0" * 64
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in files.items():
            archive.writestr(member, json.dumps(manifest) if member == bundle.MANIFEST else content)
    with pytest.raises(bundle.DamagedBundle, match="not a file name"):
        bundle.read(path)


def test_a_bundle_of_another_format_says_so(matmul: Compilation, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    bundle.write(matmul, folder)
    manifest = folder / bundle.MANIFEST
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"bundle": 1', '"bundle": 99'), encoding="utf-8")
    with pytest.raises(bundle.DamagedBundle, match="another irscope"):
        bundle.read(folder)


def test_the_last_launches_come_along(matmul: Compilation, tmp_path: Path) -> None:
    launch = Launch(
        file=matmul.kernel.file,
        kernel=matmul.kernel.name,
        when="2026-01-02T03:04:05+00:00",
        source="file",
        specialization=matmul.specialization,
        grid=(32, 32),
        arguments=(),
        timing=Timing("events", 1.5, 1.25, 1.75, 100),
    )
    bundle.write(replace(matmul, launches=(launch,)), tmp_path / "matmul.irscope")
    assert bundle.read(tmp_path / "matmul.irscope").launches == (launch,)
