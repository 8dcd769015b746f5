"""What the form asks, and the request that its answers make. No widgets here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from irscope import layers, spec
from irscope.model import Kernel, Specialization, Target
from irscope.request import IrscopeError, Request
from irscope.saved import Saved

#: Marks of a value that the user said, or pinned, and of one that is a guess: without colour they tell it too.
GIVEN_MARK, GUESSED_MARK = "▌", "?"

Kind = Literal["option", "constant", "argument"]
#: Options that most people change; the form shows them first, whatever the backend says of others.
MAIN_OPTIONS = ("num_warps", "num_stages", "num_ctas", "maxnreg")
#: Targets to offer while one types; any other that Triton has can be typed.
COMMON_TARGETS = (
    "sm_75", "sm_80", "sm_86", "sm_87", "sm_89", "sm_90", "sm_100", "sm_103", "sm_110", "sm_120",
    "gfx90a", "gfx942", "gfx950", "gfx1100", "gfx1200", "gfx1201",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One question: an option, a constexpr or a run-time parameter's type."""

    kind: Kind
    name: str
    #: The answer in force; empty where there is none yet.
    value: str = ""
    provenance: str = ""
    #: The user said so in the request, so it must be said again.
    given: bool = False

    #: What in the file says so.
    evidence: str = ""
    #: What this answer leaves out of the kernel.
    hidden: str = ""

    @property
    def guessed(self) -> bool:
        return self.provenance == "guessed" and not self.given

    @property
    def note(self) -> str:
        """Where the answer came from; a mark sets apart what was guessed and what the user said."""
        if self.given:
            was = self.provenance if self.provenance not in ("", "given") else ""
            return f"{GIVEN_MARK} given" + (f" (was {was})" if was else "")
        where = f"{self.provenance}: {self.evidence}" if self.evidence else self.provenance
        where = f"{where}; {self.hidden}" if where and self.hidden else where
        return f"{GUESSED_MARK if self.guessed else ' '} {where}" if where else ""

    @property
    def main(self) -> bool:
        return self.kind != "option" or self.name in MAIN_OPTIONS


def fields(kernel: Kernel, chosen: Specialization | None, request: Request) -> list[Field]:
    """The questions for a kernel, answered as far as what is in force (or the request) answers them.

    Args:
        chosen: what this same kernel was compiled for; ``None`` where it was not compiled yet.
    """
    if chosen is None:
        chosen = Specialization(constexprs=_configured(kernel, request.configuration))
    names = dict.fromkeys((*MAIN_OPTIONS, *chosen.options, *request.options))
    asked = [_option(name, kernel, chosen, request) for name in names]
    for parameter in kernel.parameters:
        name = parameter.name
        provenance = chosen.provenance.get(name, "")
        kind: Kind = "constant" if parameter.constexpr else "argument"
        said = request.constants if parameter.constexpr else request.arguments
        value = constant_in_view(name, chosen) or parameter.default or ""
        in_view = value if parameter.constexpr else type_in_view(name, chosen)
        given = provenance == "given" or name in said
        evidence, hidden = chosen.evidence.get(name, ""), chosen.hidden.get(name, "")
        asked.append(Field(kind, name, said.get(name, in_view), provenance, given, evidence, hidden))
    return asked


def _option(name: str, kernel: Kernel, chosen: Specialization, request: Request) -> Field:
    """An option, with what says so where that is known: the rest is the backend's choice."""
    value = _text(chosen.options.get(name))
    if name in request.options:
        return Field("option", name, request.options[name], given=True)
    for layer in layers_quietly(request):
        if name in layer["options"]:
            return Field("option", name, value, layer["provenance"], evidence=layer["origin"])
    number = chosen.configuration
    configured = number is not None and number < len(kernel.configurations)
    if configured and number is not None and name in kernel.configurations[number].options:
        return Field("option", name, value, "configuration")
    return Field("option", name, value)


def layers_quietly(request: Request) -> list[dict[str, Any]]:
    """The layers of a request; none where what is saved cannot be read, as the compile says that."""
    try:
        return layers.of(request)
    except IrscopeError:
        return []


def request_from(
    base: Request,
    kernel: Kernel,
    target: str,
    configuration: int | None,
    asked: list[Field],
    answers: Mapping[tuple[str, str], str],
) -> Request:
    """The request that says what the user said before or changed now, and leaves the rest to irscope.

    Raises:
        irscope.model.InvalidTarget: the target is none.
    """
    said: dict[str, dict[str, str]] = {"option": {}, "constant": {}, "argument": {}}
    for field in asked:
        answer = answers.get((field.kind, field.name), field.value).strip()
        if answer and (field.given or answer != field.value):
            said[field.kind][field.name] = answer
    return replace(
        base,
        path=Path(kernel.file),
        kernel=kernel.name,
        target=Target.parse(target) if target.strip() else None,
        # What a positional signature said is now said by name, so that a change of one entry counts.
        signature=None,
        arguments=said["argument"],
        constants=said["constant"],
        options=said["option"],
        configuration=configuration,
        fresh=False,
    )


def configured(kernel: Kernel, configuration: int | None) -> dict[tuple[str, str], str]:
    """The answers that an autotune configuration gives, by kind and name of the field."""
    if configuration is None or not 0 <= configuration < len(kernel.configurations):
        return {}
    picked = kernel.configurations[configuration]
    return {("constant", name): repr(value) for name, value in picked.constexprs.items()} | {
        ("option", name): _text(value) for name, value in picked.options.items()
    }


def _configured(kernel: Kernel, configuration: int | None) -> Mapping[str, Any]:
    if not kernel.configurations:
        return {}
    return kernel.configurations[min(configuration or 0, len(kernel.configurations) - 1)].constexprs


def to_save(
    kernel: Kernel,
    target: str,
    configuration: int | None,
    asked: list[Field],
    answers: Mapping[tuple[str, str], str],
    request: Request,
    target_in_view: Target | None,
) -> Saved:
    """The form's answers as they are saved: all parameters but those that a configuration or a heuristic settles.

    Raises:
        irscope.model.InvalidTarget: the target is none.
    """
    entries: dict[str, str] = {}
    options: dict[str, str] = {}
    notes: dict[str, str] = {}
    for field in asked:
        answer = answers.get((field.kind, field.name), field.value).strip()
        changed = answer != field.value
        if not answer:
            continue
        if field.kind == "option":
            if field.given or changed or field.provenance in ("saved", "captured"):
                options[field.name] = answer
        elif field.given or changed or field.provenance not in spec.FOLLOWS:
            entries[field.name] = answer
            where = "given" if field.given or changed else field.provenance
            notes[field.name] = f"{where}: {field.evidence}" if field.evidence and where != "given" else where
    order = [parameter.name for parameter in kernel.parameters]
    entries = {name: entries[name] for name in order if name in entries}
    if configuration is not None and configuration < len(kernel.configurations):
        notes[""] = str(kernel.configurations[configuration])
    said = Target.parse(target) if target.strip() else None
    kept = request.target or layers.target_of(request)
    # A target that nobody chose is this machine's, and need not be that of whoever reads it next.
    return Saved(entries, options, configuration, said if kept or said != target_in_view else None, notes)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def constant_in_view(name: str, chosen: Specialization) -> str:
    """A constexpr's value in the syntax of ``--const``; empty where it has none."""
    if name in chosen.entries:
        return chosen.entries[name]
    return repr(chosen.constexprs[name]) if name in chosen.constexprs else ""


def type_in_view(name: str, chosen: Specialization) -> str:
    """A parameter's type in the syntax of ``--arg``: "*fp16:16", "i32", or the value it is fixed to."""
    if name in chosen.entries:
        return chosen.entries[name]
    if name in chosen.constexprs:
        return repr(chosen.constexprs[name])
    divisibility = chosen.attributes.get(name, {}).get("tt.divisibility")
    return chosen.signature.get(name, "") + (f":{divisibility}" if divisibility else "")
