"""What Python warns of while a file is loaded and its kernel compiled."""

from __future__ import annotations

from collections.abc import Iterable
from warnings import WarningMessage

#: What Triton says once in every process, of a variable of its own and whatever the kernel: to somebody who reads
#: a kernel's stages it says nothing, and would hide what does.
ALWAYS = ("TRITON_DEFAULT_FP_FUSION is unset",)


def messages(caught: Iterable[WarningMessage]) -> list[str]:
    """The texts of warnings that are about the file or its kernel, each once."""
    texts = dict.fromkeys(str(warning.message) for warning in caught)
    return [text for text in texts if not text.startswith(ALWAYS)]
