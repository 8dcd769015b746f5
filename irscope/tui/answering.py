"""What is done with the answer to the line at the bottom: a search, a line to go to, a file to write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from irscope.tui.prompt import Ask
from irscope.tui.saving import as_path, save, suggested_name

if TYPE_CHECKING:
    from irscope.tui.app import IrscopeApp

_SEARCHES = (Ask.SEARCH, Ask.SEARCH_ALL)


class Answering:
    """Opens the prompt, and carries out what is answered."""

    def __init__(self, app: IrscopeApp) -> None:
        self._app = app
        self._bench = app.bench
        #: There is such a file, as the user was told: the same answer again writes over it.
        self._to_replace: Path | None = None
        #: The screen as it was before it was asked where to write it.
        self._picture = ""

    def ask(self, ask: Ask, text: str = "") -> None:
        self._to_replace = None
        self._bench.prompt.open(ask, text)

    def ask_path(self, ask: Ask, stage: str) -> None:
        self.ask(ask, suggested_name(self._bench.compilation, stage))

    def ask_picture(self) -> None:
        self._picture = self._app.export_screenshot()
        self.ask_path(Ask.SCREENSHOT, "svg")

    def changed(self) -> None:
        """Search while one types: for what the prompt has by now, for keys may have come since, or have closed it."""
        prompt = self._bench.prompt
        if prompt.display and prompt.ask in _SEARCHES:
            found = self._bench.search(prompt.text, everywhere=prompt.ask is Ask.SEARCH_ALL)
            prompt.remark(found, bad=found == "no hit")

    def close(self) -> None:
        prompt = self._bench.prompt
        prompt.close()
        if prompt.ask in _SEARCHES:
            self._bench.clear_search()
        self._bench.focus_pane()

    def answer(self) -> None:
        """Do what the prompt asked for; where that cannot be, it stays open and says why."""
        prompt = self._bench.prompt
        problem = self._answered(prompt.ask, prompt.text)
        if problem:
            prompt.remark(problem, bad=True)
        else:
            prompt.close()
            self._bench.focus_pane()

    def _answered(self, ask: Ask, text: str) -> str:
        """Do what was asked; why it cannot be done, or nothing."""
        match ask:
            case Ask.SEARCH | Ask.SEARCH_ALL:
                found = self._bench.search(text, everywhere=ask is Ask.SEARCH_ALL)
                if text and not self._bench.next_hit(1):
                    return found
            case Ask.LINE:
                if not text.strip().isdigit():
                    return "a number"
                self._bench.go_to_line(int(text))
            case _:
                return self._written(ask, text)
        return ""

    def _written(self, ask: Ask, answer: str) -> str:
        if not answer.strip():
            return "a path"
        path = as_path(answer)
        if path.exists() and path != self._to_replace:
            self._to_replace = path
            return "is there already: enter writes over it"
        try:
            save(ask, path, self._bench, self._picture)
        except OSError as error:
            return f"{error.filename or path}: {error.strerror or error}"
        self._app.notify(f"wrote {path.absolute()}")
        return ""
