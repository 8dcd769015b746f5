"""What each GPU reaches in a copy and a matrix product: measured once, kept under the user's cache directory."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from irscope.launch.fields import from_fields
from irscope.launch.model import Ceilings, Device
from irscope.paths import cache_directory, write_whole


def file_of(device: Device) -> Path:
    identity = re.sub(r"[^A-Za-z0-9-]+", "_", f"{device.name}-{device.uuid}")[:120]
    return cache_directory() / "devices" / f"{identity}.json"


def load(device: Device) -> Ceilings | None:
    """What is kept of this device; ``None`` where it was never measured."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return from_fields(Ceilings, json.loads(file_of(device).read_text(encoding="utf-8")))
    return None


def keep(device: Device, answer: Mapping[str, Any]) -> Ceilings:
    """The ceilings of a worker's ``measure_device`` answer, kept where that can be written."""
    found = Ceilings(
        device=device.name,
        copy_gb_s=answer["copy_gb_s"],
        matmul_tflop_s=answer["matmul_tflop_s"],
        measured=date.today().isoformat(),
        torch=answer["torch"],
    )
    with contextlib.suppress(OSError):
        write_whole(file_of(device), json.dumps(asdict(found)))
    return found
