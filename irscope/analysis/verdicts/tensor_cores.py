"""Whether each tl.dot uses the matrix units (tensor cores, AMD's matrix cores), by which instruction, and why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from irscope.analysis.axes import shape_of
from irscope.analysis.verdicts import layouts
from irscope.analysis.verdicts.model import Verdict
from irscope.analysis.verdicts.program import Placed, Program, count, joined, of_chain, sentence_case
from irscope.ir.lines import Chain

RULE = "tensor cores"

_INSTRUCTION = re.compile(
    r"(?:^|\s)((?:mma\.(?:sync|sp)|wgmma\.mma_async|tcgen05\.mma)[\w.:]*|v_(?:s?mfmac?|s?wmmac?)_\w+)"
)
_SHAPE = re.compile(r"\.(m\d+n\d+k\d+)")
_FAMILY = re.compile(r"(wgmma|tcgen05\.mma|mma|v_s?mfmac?|v_s?wmmac?)")
#: What it accumulates in comes first and is left out.
_AMD_SHAPE = re.compile(r"(?:_[fi]\d+)?_(\d+x\d+x\d+)_?(\w*)$")
_OPERAND = re.compile(r"(?:tensor|memdesc)<(?:\d+x)+([a-z]\w*)")
_PRECISION = re.compile(r"inputPrecision = (\w+)")
#: In TTIR, and what Gluon writes in TTGIR.
_DOTS = ("tt.dot", "tt.dot_scaled", "ttng.warp_group_dot", "ttng.tc_gen5_mma", "ttng.tc_gen5_mma_scaled")


@dataclass(frozen=True, slots=True)
class _Newer:
    """What Triton asks for before it uses an instruction (``supportMMA`` in ``lib/Analysis/Utility.cpp``)."""

    name: str
    #: From which architecture on, and from which no longer.
    first: int
    below: int
    #: The rows of a product are a multiple of it.
    rows: int
    takes_warps: Callable[[int], bool]
    warps: str
    advice: str


_NEWER = (
    _Newer(
        "wgmma",
        90,
        100,
        64,
        lambda warps: warps % 4 == 0,
        "no multiple of the 4 that wgmma needs",
        "wgmma takes tiles of at least 64 rows, and a multiple of 4 warps.",
    ),
    _Newer(
        "tcgen05",
        100,
        110,
        64,
        lambda warps: warps in (4, 8),
        "not the 4 or 8 that tcgen05 needs",
        "tcgen05 takes tiles of at least 64 rows, and 4 or 8 warps.",
    ),
)
#: What none of them takes.
_OLDER_ONLY = ("f64",)


def tensor_cores(program: Program) -> Iterator[Verdict]:
    lines, locations = program.lines(program.assembly), program.locations(program.assembly)
    used: dict[Chain, list[tuple[int, str]]] = {}
    for row, line in enumerate(lines):
        if "mma" in line or "mfma" in line:
            found = _INSTRUCTION.search(line)
            if found:
                used.setdefault(locations[row], []).append((row, found[1]))
    seen: set[Chain] = set()
    for placed in program.operations(program.first):
        chain = program.chain(program.first, placed.operation.row)
        if placed.operation.name in _DOTS and chain and lines and chain not in seen:
            seen.add(chain)
            yield _verdict(program, placed, chain, of_chain(used, chain))


def _verdict(program: Program, placed: Placed, chain: Chain, used: list[tuple[int, str]]) -> Verdict:
    where = sentence_case(program.line_of(chain))
    became = program.at("ttgir", chain, lambda name: ("dot" in name and "wait" not in name) or "mma" in name)
    evidence = (
        *program.source(chain, "tl.dot"),
        program.row(program.first, placed.operation.row),
        *(program.row("ttgir", other.operation.row) for other in became[:1] if program.first != "ttgir"),
        *program.rows(program.assembly, [row for row, _ in used]),
    )
    if used:
        kinds = list(dict.fromkeys(_named(name) for _, name in used))
        units = "tensor cores" if program.is_cuda else "matrix cores"
        sentence = f"{where}: tl.dot runs on the {units}: {joined(kinds)}, {count(len(used), 'instruction')}."
        older = _why_older(program, placed, used)
        if older:
            return Verdict(RULE, "note", f"{sentence[:-1]}; {older[0]}.", older[1], evidence)
        return Verdict(RULE, "good", sentence, None, evidence)
    units = "tensor cores" if program.is_cuda else "matrix cores"
    layout = layouts.tensor_layout(became[0].operation.type) if became else None
    if layout is None or "blocked<" not in layouts.definition(layout, program.layouts):
        why = "nothing in the TTGIR comes from its line" if not became else "none of the assembly comes from its line"
        sentence = f"{where}: whether this tl.dot runs on the {units} is not known: {why}."
        return Verdict(RULE, "unknown", sentence, None, evidence)
    reason, advice = _why_not(program, placed)
    sentence = f"{where}: tl.dot runs on ordinary multiply-adds, not on the {units}: {reason}."
    return Verdict(RULE, "unknown" if advice is None else "bad", sentence, advice, evidence)


def _named(name: str) -> str:
    """``wgmma m64n128k16`` of a whole instruction's name, with the types of a product where it says them."""
    family = _FAMILY.match(name)
    amd = _AMD_SHAPE.search(name) if name.startswith("v_") else None
    if amd:
        return f"{name[: amd.start()]} {amd[1]} {amd[2]}".rstrip()
    shape = _SHAPE.search(name)
    types = re.findall(r"\.((?:bf|tf|f|s|u|e\dm)\d+)(?=\.|$)", name)
    shown = family[1] if family else name
    return " ".join(part for part in (shown, shape[1] if shape else "", ".".join(types)) if part)


def _why_older(program: Program, placed: Placed, used: list[tuple[int, str]]) -> tuple[str, str] | None:
    """Of a dot on mma where the target has something newer: which of its conditions does not hold, and an advice."""
    capability = program.compilation.target.capability
    newer = next((each for each in _NEWER if capability is not None and each.first <= capability < each.below), None)
    if newer is None or not used[0][1].startswith("mma"):
        return None
    kinds = _OPERAND.findall(placed.operation.type)
    shape = shape_of(placed.operation.type)
    warps = program.option("num_warps")
    if len(shape) < 2 or any(kind in _OLDER_ONLY for kind in kinds):
        return None
    if len(shape) > 2:
        return f"it is a batch of products, and {newer.name} takes single ones", newer.advice
    if shape[-2] % newer.rows:
        return f"its {shape[-2]} rows are too few for {newer.name}, which needs {newer.rows}", newer.advice
    if isinstance(warps, int) and not newer.takes_warps(warps):
        return f"{count(warps, 'warp')} {'is' if warps == 1 else 'are'} {newer.warps}", newer.advice
    return None


def _why_not(program: Program, placed: Placed) -> tuple[str, str | None]:
    operation = placed.operation
    kinds = _OPERAND.findall(operation.type)[:2]
    capability = program.compilation.target.capability
    precision = _PRECISION.search(operation.text)
    if capability is not None and capability < 80:
        triton = f"Triton {program.compilation.triton}" if program.compilation.triton else "this Triton"
        return f"{triton} has none of them for {program.compilation.target}", "Compile for sm_80 or newer."
    if "f64" in kinds:
        return "its operands are fp64", "Give tl.dot fp16, bf16, fp8 or fp32 (with tf32), where the precision allows."
    if not program.is_cuda:
        return _why_not_on_amd(program.compilation.target.arch, kinds)
    if kinds[:1] == ["f32"] and (precision is None or precision[1] == "ieee"):
        return (
            "both operands are fp32 and input_precision is ieee",
            'input_precision="tf32" (10 bits of mantissa) or "tf32x3" (close to fp32), or fp16 or bf16 operands.',
        )
    return "why is not known", None


def _why_not_on_amd(arch: str, kinds: list[str]) -> tuple[str, str | None]:
    """MFMA (gfx9) takes fp32; WMMA (gfx11, and gfx12 but for gfx125x) no more than 16 bits."""
    if kinds[:1] == ["f32"] and arch.startswith(("gfx11", "gfx120")):
        return f"those of {arch} take no fp32 operands", "fp16 or bf16 operands, where the precision allows."
    return "why is not known", None
