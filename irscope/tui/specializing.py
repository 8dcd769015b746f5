"""What the app does with a specialization: fill it in, take a captured one, keep it in a file, leave that aside."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from irscope import saved, spec
from irscope.request import IrscopeError, Request

if TYPE_CHECKING:
    from irscope.model import Compilation
    from irscope.tui.app import IrscopeApp

_UNREADABLE = "This file cannot be read"


class Specializing:
    """Carries out the actions on the specialization of the kernel in view."""

    def __init__(self, app: IrscopeApp) -> None:
        self._app = app

    def keep(self) -> None:
        """Write what is in view to the file beside the kernel's, which later compiles use."""
        found = self._app.bench.compilation
        if found is None or not found.specialization.signature:
            self._app.notify("there is no specialization in view", severity="warning")
            return
        kernel_file = Path(found.kernel.file)
        if not kernel_file.is_file():
            self._app.notify(f"{kernel_file} is not on this machine", severity="warning")
            return
        file = saved.path_of(kernel_file)
        try:
            saved.write(file, {found.kernel.name: spec.to_save(found, self._request_of(found))})
        except IrscopeError as error:
            self._app.notify(f"{error}\n{error.failure.hint or ''}", severity="error", title="Not written")
        except OSError as error:
            self._app.notify(f"cannot write {file}: {error.strerror or error}", severity="error")
        else:
            left = spec.unsaved(found.specialization)
            more = f" ({', '.join(left)} cannot be written, and is left to irscope)" if left else ""
            self._app.notify(f"wrote {file}{more}; later compiles, launches and `irscope dump` use it")

    def _request_of(self, found: Compilation) -> Request:
        """What a compilation answers, or the kernel alone where it was read from a file."""
        request = self._app.compiling.request_of(found)
        path = Path(found.kernel.file)
        if request is None or request.path.suffix != ".py":
            return Request(path, found.kernel.name, target=found.target)
        return replace(request, path=path, kernel=found.kernel.name)

    def toggle_saved(self) -> None:
        """Compile without what is saved beside the file, or with it again."""
        request = self._app.compiling.request
        if request.saved and not saved.path_of(request.path).is_file():
            self._app.notify(f"nothing is saved beside {request.path.name}; K saves what is in view")
            return
        self._app.compiling.start(replace(request, saved=not request.saved, fresh=False))
        self._app.notify("what is saved is left aside" if request.saved else "what is saved is used again")

    async def choose_options(self) -> None:
        """Compile what is filled in in the form; call it from a worker of Textual's, which may wait for a screen."""
        from irscope import session
        from irscope.tui.form import OptionsForm

        compiling, found = self._app.compiling, self._app.bench.compilation
        request = compiling.request
        path = request.path
        if found is not None and path.suffix != ".py" and not path.is_dir():
            path = Path(found.kernel.file)
        try:
            kernels = await asyncio.to_thread(session.kernels, path) if path.exists() else []
        except IrscopeError as error:
            self._app.notify(str(error), severity="error", title=_UNREADABLE)
            return
        if not kernels:
            self._app.notify(f"no kernel in {path.name} to compile anew", severity="warning")
            return
        answer = await self._app.push_screen_wait(OptionsForm(request, kernels, found))
        if answer is not None:
            compiling.start(answer)

    async def choose_captured(self, *, at_once: bool = False) -> None:
        """Compile one of the captured launches; call it from a worker of Textual's, which may wait for a screen.

        Args:
            at_once: run the file's own launch code first.
        """
        from irscope import devices, layers, session
        from irscope.tui.capture_list import CaptureList
        from irscope.tui.capture_text import request_for

        compiling, found = self._app.compiling, self._app.bench.compilation
        request = compiling.request
        if found is not None and (request.path.suffix != ".py" or request.kernel is None):
            request = self._request_of(found)
        if request.path.suffix != ".py" or not request.path.is_file():
            self._app.notify("there is no Python file in view whose launches could be captured", severity="warning")
            return
        try:
            request = session.with_kernel(request)
            target = request.target or layers.target_of(request) or devices.default_target()
        except IrscopeError as error:
            self._app.notify(str(error), severity="error", title=_UNREADABLE)
            return
        if request.kernel is None:
            self._app.notify(f"there is no kernel in {request.path.name}", severity="warning")
            return
        answered = None if found is None else compiling.request_of(found)
        launch = await self._app.push_screen_wait(CaptureList(request, target, (answered, found), at_once=at_once))
        if launch is None:
            return
        chosen, left = request_for(launch, request)
        compiling.start(chosen)
        if left:
            self._app.notify(f"left aside for it: {', '.join(left)}")
