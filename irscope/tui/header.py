"""The line at the very top: which kernel this is, and what it was compiled for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

if TYPE_CHECKING:
    from irscope.model import Compilation
    from irscope.request import Request

_GAP = "  "


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of the line; those with the highest ``rank`` are left out first."""

    text: str
    style: str = ""
    rank: float = 0


class Header(Widget):
    """One line that always fits: what matters least is left out first."""

    DEFAULT_CLASSES = "line"

    def __init__(self) -> None:
        super().__init__(id="header")
        self.left: Sequence[Word] = ()
        self.right: Sequence[Word] = ()
        self._doing = ""

    def show(self, left: Sequence[Word], right: Sequence[Word]) -> None:
        self.left, self.right = left, right
        self.refresh()

    def tell(self, doing: str) -> None:
        """Say what goes on in the background, or nothing."""
        self._doing = doing
        self.refresh()

    def render(self) -> Content:
        width = self.size.width
        left, right = list(self.left), list(self.right)
        if self._doing:
            right.insert(0, Word(self._doing, "$text-warning", 1.2))
        while (line := _join(left)).cell_length + (end := _join(right)).cell_length + len(_GAP) > width:
            least = max((word for word in (*left, *right)), key=lambda word: word.rank, default=None)
            if least is None or least.rank == 0:
                break
            (left if least in left else right).remove(least)
        padding = max(len(_GAP), width - line.cell_length - end.cell_length)
        return Content.assemble(line, " " * padding, end)


def _join(words: Sequence[Word]) -> Content:
    return Content(_GAP).join(Content.styled(word.text, word.style) for word in words)


def words_of_request(request: Request) -> tuple[list[Word], list[Word]]:
    """What is known before anything was compiled."""
    name = request.kernel or ""
    return [_NAME, Word(name, "bold", 0), Word(request.path.name, "$text-muted", 1)], []


def words_of(compilation: Compilation, *, stale: bool, origin: str) -> tuple[list[Word], list[Word]]:
    """Both ends of the line for a compilation; ``origin`` says where it came from, if not from the compiler."""
    kernel, chosen = compilation.kernel, compilation.specialization
    left = [_NAME, Word(kernel.name, "bold", 0), Word(_short_path(kernel.file), "$text-muted", 5)]
    if compilation.target.arch:
        left.append(Word(compilation.target.arch, "bold $accent", 0))
    left += [
        Word(f"{title} {chosen.options[key]}", "", rank)
        for key, title, rank in (("num_warps", "warps", 2), ("num_stages", "stages", 2))
        if key in chosen.options
    ]
    if chosen.options.get("num_ctas", 1) != 1:
        left.append(Word(f"ctas {chosen.options['num_ctas']}", "", 2))
    declared = {parameter.name for parameter in kernel.parameters if parameter.constexpr}
    # What a parameter's value 1 made constant comes last, and goes first where room is short.
    constants = sorted(chosen.constexprs.items(), key=lambda item: item[0] not in declared)
    left += [
        Word(f"{name}={value}", "$text-muted", (3 if name in declared else 7) + position / 100)
        for position, (name, value) in enumerate(constants)
    ]
    if chosen.configuration is not None:
        total = f" of {len(kernel.configurations)}" if kernel.configurations else ""
        left.append(Word(f"configuration {chosen.configuration + 1}{total}", "", 4))
    right = []
    if stale:
        right.append(Word("STALE", "bold $warning", 0))
    if count := len(compilation.warnings):
        right.append(Word(f"{count} warning{'s' if count > 1 else ''} (O)", "$warning", 6))
    if origin:
        right.append(Word(origin, "$success", 1.5))
    if compilation.triton:
        right.append(Word(f"triton {compilation.triton}", "$text-muted", 1))
    return left, right


_NAME = Word("irscope", "bold $primary", 4)

#: The first compilation was stopped: what is on screen is not all of it.
STOPPED = Word("STOPPED", "bold $warning", 0)


def _short_path(path: str) -> str:
    """The last two parts of a path, whichever way its slashes lean."""
    return "/".join(path.replace("\\", "/").rsplit("/", 2)[-2:])
