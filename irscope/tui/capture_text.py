"""What the list of captured launches says: a row for each, all of one of them, and why there is none. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from irscope import captured, captures, discover, saved
from irscope.captured import CapturedLaunch
from irscope.model import Compilation
from irscope.report.capture import described
from irscope.request import IrscopeError, Request

_IN_USE = "in use"


def rows(launches: Sequence[CapturedLaunch], in_use: int | None) -> list[str]:
    """One line a launch: number, grid, call site, and then what tells it from the others before what does not."""
    values = [values_of(launch) for launch in launches]
    names = list(dict.fromkeys(name for each in values for name in each))
    alike = {name for name in names if len({each.get(name) for each in values}) == 1}
    names.sort(key=lambda name: name in alike)
    cells = [
        (
            _IN_USE if launch.number == in_use else "",
            str(launch.number),
            grid(launch),
            captured.layer(launch)["origin"],
            f"{launch.count}x" if launch.count > 1 else "",
            " ".join(f"{name}={each[name]}" for name in names if name in each),
        )
        for launch, each in zip(launches, values, strict=True)
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width).rstrip() for row in cells
    ]


def grid(launch: CapturedLaunch) -> str:
    return "no grid" if launch.grid is None else f"grid {'x'.join(map(str, launch.grid))}"


def values_of(launch: CapturedLaunch) -> dict[str, str]:
    """By parameter: a tensor's type and shape, a value, a constant; then the options."""
    values = {}
    for name, entry in launch.entries.items():
        argument = launch.arguments.get(name, {})
        if "shape" in argument:
            values[name] = f"{argument.get('type', '').lstrip('*')}[{','.join(map(str, argument['shape']))}]"
        else:
            values[name] = str(argument.get("value", entry))
    return values | {name: str(value) for name, value in launch.options.items()}


def detail(launch: CapturedLaunch) -> str:
    """All of a launch, as ``irscope capture`` prints it, and its arguments."""
    shown = values_of(launch)
    arguments = " ".join(f"{name}={shown[name]}" for name in launch.arguments if name in shown)
    return "\n".join([*(line.strip() for line in described(launch)), f"arguments: {arguments}"])


def in_use(request: Request | None, found: Compilation | None, launches: Sequence[CapturedLaunch]) -> int | None:
    """The number of the launch that a compilation was made for, where it was made for one.

    Args:
        request: what the compilation answers.
    """
    if request is None or found is None or request.captured >= len(launches):
        return None
    origin, chosen = captured.layer(launches[request.captured])["origin"], found.specialization
    taken = (name for name, provenance in chosen.provenance.items() if provenance == "captured")
    return request.captured if any(chosen.evidence.get(name) == origin for name in taken) else None


def why_none(request: Request) -> str:
    """Why no launch of the request's kernel is known."""
    path, kernel = request.path, request.kernel
    ran = next(captures.kept(path), None)
    if ran is not None:
        return f"the launch code of {path.name} ran and launched no {kernel}" + (f": {ran.ended}" if ran.ended else "")
    try:
        listed = next((each for each in discover.listed(path) if each.kernel.name == kernel), None)
    except IrscopeError as error:
        return str(error)
    if listed is None or not listed.prospect.launches:
        return f"{path.name} has no launch of {kernel}; `irscope capture -- SCRIPT` records a script that has one"
    prospect, site = listed.prospect, listed.prospect.launches[0]
    if not prospect.reached:
        reason = "to which its __main__ block does not lead"
    elif not prospect.captured:
        reason = "which is not run unasked, since the file imports torch only where it needs it"
    else:
        reason = "which --no-capture leaves aside" if request.capture == "never" else "which has not been run yet"
    return f"{path.name} launches {kernel} in {site.within} (line {site.line}), {reason}"


def request_for(launch: CapturedLaunch, base: Request) -> tuple[Request, list[str]]:
    """The request that compiles what was launched, and what the user said before that it leaves aside."""
    left = [*base.arguments, *base.constants, *base.options]
    left += ["the signature"] * (base.signature is not None)
    left += ["the configuration"] * (base.configuration not in (None, launch.configuration))
    kept = saved.path_of(base.path)
    try:
        heeded = base.saved and saved.of(base.path, base.kernel) is not None
    except IrscopeError:  # the compile says so, once it is heeded again
        heeded = True
    left += [kept.name] * heeded
    chosen = replace(
        base,
        signature=None,
        arguments={},
        constants={},
        options={},
        configuration=None,
        saved=base.saved and not heeded,
        capture="once",
        captured=launch.number,
        fresh=False,
    )
    return chosen, left
