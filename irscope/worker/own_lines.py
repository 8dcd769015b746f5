"""LLVM IR whose every instruction names its own line as its source line, and whose values are variables of that name.

Code generation keeps a line where it can, and gives it up where it moves an instruction to another block. There the
variable still tells: LLVM writes after the instruction that it now has that variable's value.
"""

from __future__ import annotations

import re

#: How a variable's name begins; its row follows.
VALUE = "row"

#: The third character of rows in a function that start no instruction: further rows of one, records, ...
_NO_INSTRUCTION = frozenset(("", " ", "#", "]", ";"))
_DEBUG_CALL = re.compile(r"  (?:tail )?call void @llvm\.dbg\.")
_ATTACHED = re.compile(r",? !dbg !\d+")
_NUMBERED = re.compile(r"^!(\d+) = ", re.MULTILINE)
_NAME = re.compile(r'@("[^"]*"|[\w$.-]+)\(')
_MODULE_FLAGS = "!llvm.module.flags = "
_UNITS = "!llvm.dbg.cu = "
_VERSION = '!"Debug Info Version"'

_RESULT = re.compile(r'  (%(?:"[^"]*"|[\w$.-]+)) = ([a-z]+) (.*)')
_SCALAR = r"(?:i\d+|half|bfloat|float|double|ptr(?: addrspace\(\d+\))?)"
_TYPE = rf"(?:{_SCALAR}|<\d+ x {_SCALAR}>)"
_FIRST_TYPE = re.compile(rf"({_TYPE})(?=[ ,]|$)")
#: Flags that stand between an instruction's name and its first type.
_FLAGS_BEFORE = re.compile(rf"(?:[a-z]+ )*?(?={_TYPE}[ ,])")
_ELEMENTS = re.compile(r"<(\d+) x (.*)>")
_CASTS = frozenset(
    ("trunc", "zext", "sext", "fptrunc", "fpext", "fptoui", "fptosi", "uitofp", "sitofp", "ptrtoint", "inttoptr",
     "bitcast", "addrspacecast")
)  # fmt: skip
#: What has the type of its first operand.
_UNIFORM = frozenset(
    ("add", "sub", "mul", "udiv", "sdiv", "urem", "srem", "shl", "lshr", "ashr", "and", "or", "xor", "fadd", "fsub",
     "fmul", "fdiv", "frem", "fneg", "phi", "freeze", "load", "insertelement")
)  # fmt: skip
_COMPARISONS = frozenset(("icmp", "fcmp"))


def with_own_lines(text: str, file: str) -> str:
    """The same module with new debug information: each instruction's line is its row in ``text``, from 1, of ``file``.

    Instructions over several rows (a switch) name their last one. Whatever debug information there was is left out.
    """
    first = max(map(int, _NUMBERED.findall(text)), default=-1) + 1
    unit, file_node, type_node, version, scalar_type, vector_type = range(first, first + 6)
    nodes = [
        f'!{unit} = distinct !DICompileUnit(language: DW_LANG_C, file: !{file_node}, producer: "irscope", '
        "isOptimized: true, runtimeVersion: 0, emissionKind: FullDebug)",
        f'!{file_node} = !DIFile(filename: "{file}", directory: "")',
        f"!{type_node} = !DISubroutineType(types: !{{}})",
        f"!{version} = !{{i32 2, {_VERSION}, i32 3}}",
        f'!{scalar_type} = !DIBasicType(name: "scalar", size: 64, encoding: DW_ATE_unsigned)',
        f'!{vector_type} = !DIBasicType(name: "vector", size: 65536, encoding: DW_ATE_unsigned)',
    ]
    kept: list[str] = []
    #: Records of phis, which stand before every other instruction of their block.
    waiting: list[str] = []
    subprogram = -1
    open_rows = False
    flags = False
    for row, line in enumerate(text.split("\n"), 1):
        if line.startswith("define "):
            subprogram = first + len(nodes)
            name = _NAME.search(line)
            name_text = name[1].strip('"') if name else "kernel"
            nodes.append(
                f'!{subprogram} = distinct !DISubprogram(name: "{name_text}", linkageName: "{name_text}", '
                f"scope: !{file_node}, file: !{file_node}, line: {row}, type: !{type_node}, scopeLine: {row}, "
                f"spFlags: DISPFlagDefinition | DISPFlagOptimized, unit: !{unit})"
            )
            line = f"{_ATTACHED.sub('', line).removesuffix(' {')} !dbg !{subprogram} {{"
        elif line == "}":
            subprogram = -1
        elif subprogram >= 0:
            if _DEBUG_CALL.match(line) or line.lstrip().startswith("#dbg_"):
                continue
            if line[:2] == "  " and (open_rows or line[2:3] not in _NO_INSTRUCTION):
                line = _ATTACHED.sub("", line)
                # The rows of a switch: its opening bracket ends the first, its closing one stands alone.
                open_rows = (open_rows or line.endswith("[")) and line.strip() != "]"
                result = _RESULT.match(line)
                is_phi = result is not None and result[2] == "phi"
                if not is_phi:
                    kept += waiting
                    waiting = []
                if not open_rows:
                    place = first + len(nodes)
                    nodes.append(f"!{place} = !DILocation(line: {row}, column: 1, scope: !{subprogram})")
                    line = f"{line}, !dbg !{place}"
                    if result and (kind := type_of(result[2], result[3])):
                        variable = first + len(nodes)
                        value_type = vector_type if kind.startswith("<") else scalar_type
                        nodes.append(
                            f'!{variable} = !DILocalVariable(name: "{VALUE}{row}", scope: !{subprogram}, '
                            f"file: !{file_node}, line: {row}, type: !{value_type})"
                        )
                        record = f"    #dbg_value({kind} {result[1]}, !{variable}, !DIExpression(), !{place})"
                        if is_phi:
                            waiting.append(record)
                        else:
                            kept += [line, record]
                            continue
        elif line.startswith(_UNITS):
            continue
        elif line.startswith(_MODULE_FLAGS):
            flags = True
            if _VERSION not in text:
                line = line.replace("{", f"{{!{version}, ", 1)
        kept.append(line)
    if not flags:
        nodes.append(f"{_MODULE_FLAGS}!{{!{version}}}")
    return "\n".join([*kept, f"{_UNITS}!{{!{unit}}}", *nodes, ""])


def type_of(operation: str, rest: str) -> str | None:
    """The type of an instruction's result, from the text after its name; ``None`` where that takes more to tell."""
    if operation in _CASTS:
        found = _FIRST_TYPE.match(rest, rest.rfind(" to ") + 4)
        return found[1] if found else None
    if operation in ("tail", "call"):
        called = re.match(rf"(?:[a-z]+ )*({_TYPE}) (?:@|asm )", rest)
        return called[1] if called else None
    flags = _FLAGS_BEFORE.match(rest)
    rest = rest[flags.end() :] if flags else rest
    first = _FIRST_TYPE.match(rest)
    if operation == "getelementptr":
        base = re.match(r"(?:[a-z]+ )*(?:\[[^\]]*\]|\{[^}]*\}|[\w.%]+), (ptr(?: addrspace\(\d+\))?) ", rest)
        return base[1] if base and ", <" not in rest else None
    if operation == "extractvalue":
        taken = re.match(r"\{ ([^{}<]*) \} [^,]+, (\d+)$", rest)
        return taken[1].split(", ")[int(taken[2])] if taken else None
    if operation in _COMPARISONS:
        compared = re.search(rf"(?:^|\s)({_TYPE}) ", rest)
        elements = compared and _ELEMENTS.match(compared[1])
        return f"<{elements[1]} x i1>" if elements else "i1" if compared else None
    if first is None:
        return None
    if operation in _UNIFORM:
        return first[1]
    elements = _ELEMENTS.match(first[1])
    if operation == "extractelement":
        return elements[2] if elements else None
    if operation == "shufflevector":
        mask = re.search(r", <(\d+) x i32> (?:<[^<>]*>|zeroinitializer|poison)$", rest)
        return f"<{mask[1]} x {elements[2]}>" if elements and mask else None
    if operation == "select":
        chosen = re.match(rf"{_TYPE} [^,]+, ({_TYPE}) ", rest)
        return chosen[1] if chosen else None
    return None
