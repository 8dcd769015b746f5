"""What the form asks, and the request that its answers make. No widgets here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from irscope.model import Kernel, Specialization, Target
from irscope.request import Request

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

    @property
    def note(self) -> str:
        return f"{self.provenance}: {self.evidence}" if self.evidence else self.provenance

    @property
    def main(self) -> bool:
        return self.kind != "option" or self.name in MAIN_OPTIONS


def fields(kernel: Kernel, chosen: Specialization | None, request: Request) -> list[Field]:
    """The questions for a kernel, answered as far as what is in force (or the request) answers them.

    Args:
        chosen: what this same kernel was compiled for; ``None`` where it was not compiled yet.
    """
    chosen = chosen or Specialization(constexprs=_configured(kernel, request.configuration))
    names = dict.fromkeys((*MAIN_OPTIONS, *chosen.options, *request.options))
    asked = [
        Field(
            "option",
            name,
            request.options.get(name, _text(chosen.options.get(name))),
            given=name in request.options,
        )
        for name in names
    ]
    for parameter in kernel.parameters:
        name = parameter.name
        provenance = chosen.provenance.get(name, "")
        given = provenance == "given"
        if parameter.constexpr:
            value = chosen.constexprs.get(name)
            text = repr(value) if name in chosen.constexprs else (parameter.default or "")
            asked.append(
                Field(
                    "constant",
                    name,
                    request.constants.get(name, text),
                    provenance,
                    given or name in request.constants,
                    chosen.evidence.get(name, ""),
                )
            )
        else:
            asked.append(
                Field(
                    "argument",
                    name,
                    request.arguments.get(name, type_in_view(name, chosen)),
                    provenance,
                    given or name in request.arguments,
                    chosen.evidence.get(name, ""),
                )
            )
    return asked


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


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def type_in_view(name: str, chosen: Specialization) -> str:
    """A parameter's type in the syntax of ``--arg``: "*fp16:16", "i32", or the value it is fixed to."""
    if name in chosen.constexprs:
        return repr(chosen.constexprs[name])
    divisibility = chosen.attributes.get(name, {}).get("tt.divisibility")
    return chosen.signature.get(name, "") + (f":{divisibility}" if divisibility else "")
