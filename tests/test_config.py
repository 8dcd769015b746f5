"""The configuration file: read, refused, and written without losing what the user wrote."""

from pathlib import Path

import pytest

from irscope import config


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "config.toml"


def put(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_absent_file_is_an_empty_configuration(file: Path) -> None:
    assert config.read(file) == config.Config()


def test_everything_is_read(file: Path) -> None:
    put(file, 'theme = "light"\npanes = ["sass", "source"]\nshown = ["sass"]\n[keys]\nsearch = "f3"\n')
    assert config.read(file) == config.Config("light", ("sass", "source"), ("sass",), {"search": "f3"})


def test_a_name_that_means_nothing_is_told(file: Path) -> None:
    assert config.read(put(file, 'colour = "red"\ntheme = "light"\n')).unknown == ("colour",)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("theme = ", "config.toml"),
        ("theme = 3", "theme must be a string"),
        ('panes = "source"', "panes must be a list"),
        ("shown = [1]", "shown must be a list"),
        ("[keys]\nsearch = 1", "must be a table of strings"),
        ("keys = 1", "must be a table of strings"),
    ],
)
def test_what_is_wrong_is_named(file: Path, text: str, complaint: str) -> None:
    with pytest.raises(config.InvalidConfig, match=complaint):
        config.read(put(file, text))


def test_writing_keeps_comments_and_keys(file: Path) -> None:
    put(file, '# mine\ntheme = "a"  # why\n\n[keys]\nsearch = "f3"\n')
    config.write({"theme": "b", "panes": ["source", 'odd"name']}, file)
    text = file.read_text(encoding="utf-8")
    assert "# mine" in text
    assert "# why" in text
    assert config.read(file) == config.Config("b", ("source", 'odd"name'), (), {"search": "f3"})
    assert [entry.name for entry in file.parent.iterdir()] == ["config.toml"]


def test_a_broken_file_is_not_overwritten(file: Path) -> None:
    put(file, "theme = ")
    with pytest.raises(config.InvalidConfig):
        config.write({"theme": "b"}, file)
    assert file.read_text(encoding="utf-8") == "theme = "


def test_the_directory_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IRSCOPE_CONFIG_DIR", str(tmp_path))
    config.write({"theme": "c"})
    assert config.path().parent == tmp_path
    assert config.read().theme == "c"
    monkeypatch.delenv("IRSCOPE_CONFIG_DIR")
    assert config.path().parent.name == "irscope"
