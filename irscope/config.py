"""The user's configuration: theme, panes and keys, in one TOML file that people edit too.

The file is ``config.toml`` in the platform's configuration directory (``IRSCOPE_CONFIG_DIR`` names another):

    theme = "irscope-dark"
    panes = ["source", "ttgir", "sass"]          # order, left to right; those not named follow
    shown = ["source", "ttgir"]                  # the most wanted first: a narrow terminal shows fewer

    [keys]
    search = "slash,ctrl+f"                      # names of actions as the help screen has them

Nothing here knows a user interface: values are checked for their type only.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from irscope.paths import config_directory

FILE_NAME = "config.toml"


@dataclass(frozen=True, slots=True)
class Config:
    """What the configuration file says; ``None`` and empty values leave the choice to irscope."""

    theme: str | None = None
    panes: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    #: By action, the keys that replace its own, separated by commas.
    keys: Mapping[str, str] = field(default_factory=dict)
    #: Names in the file that mean nothing here: a misspelling, or another version's.
    unknown: tuple[str, ...] = ()


class InvalidConfig(ValueError):
    """The configuration file cannot be read as one; the message names the file and the key."""


def path() -> Path:
    return config_directory() / FILE_NAME


def read(file: Path | None = None) -> Config:
    """The configuration; an absent file is an empty one.

    Raises:
        InvalidConfig: it is no TOML, or a value has another type than it should have.
    """
    file = file or path()
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidConfig(f"{file}: {error}") from error
    import tomlkit
    import tomlkit.exceptions

    try:
        values = tomlkit.parse(text).unwrap()
    except tomlkit.exceptions.ParseError as error:
        raise InvalidConfig(f"{file}: {error}") from error
    return Config(
        theme=_theme(file, values.get("theme")),
        panes=_names(file, "panes", values.get("panes", [])),
        shown=_names(file, "shown", values.get("shown", [])),
        keys=_keys(file, values.get("keys", {})),
        unknown=tuple(name for name in values if name not in ("theme", "panes", "shown", "keys")),
    )


def write(changes: Mapping[str, str | list[str]], file: Path | None = None) -> None:
    """Set top-level values; the rest of the file, comments included, stays as the user wrote it.

    Raises:
        OSError: the file cannot be written.
        InvalidConfig: what is there is no TOML, so it is left alone.
    """
    import tomlkit
    import tomlkit.exceptions

    file = file or path()
    try:
        document = tomlkit.parse(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        document = tomlkit.document()
    except (tomlkit.exceptions.ParseError, UnicodeDecodeError) as error:
        raise InvalidConfig(f"{file}: {error}") from error
    for name, value in changes.items():
        document[name] = value
    file.parent.mkdir(parents=True, exist_ok=True)
    # A reader (another irscope) must never see half a file.
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        partial.write_text(tomlkit.dumps(document), encoding="utf-8", newline="\n")
        partial.replace(file)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def _theme(file: Path, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise InvalidConfig(f"{file}: theme must be a string")
    return value


def _names(file: Path, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise InvalidConfig(f"{file}: {key} must be a list of strings")
    return tuple(value)


def _keys(file: Path, value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(keys, str) for keys in value.values()):
        raise InvalidConfig(f'{file}: [keys] must be a table of strings, such as search = "slash"')
    return value
