"""Instructions, encodings and control codes against what nvdisasm prints in its other forms."""

from __future__ import annotations

import json
import re

import pytest
from binaries import Binary

from irscope import tools
from irscope.analysis.sass import control
from irscope.analysis.sass.instructions import encodings, function, functions
from irscope.ir.cubin import DamagedCubin

TEXT = """\
	.section	.text.kernel,"ax",@progbits
kernel:
.text.kernel:
	//## File "/k/a.py", line 4
        /*0000*/              @!P0 LDG.E.128.CONSTANT R8, desc[UR6][R4.64+0x800] ;  /* 0x0000 */
                                                                                    /* 0x0000 */
        /*0010*/                   STL.64 [R1+0x18], R22                          (*"SpillRefill"*);
        /*0020*/                   BRX R2 -0x30                    (*"BRANCH_TARGETS .L_x_1,.L_x_2"*) ;
.L_x_1:
        /*0030*/                   BRA.U !UP0, `(.L_x_1) ;
.L_x_2:
        /*0040*/                   NOP;
	.section	.text.other,"ax",@progbits
        /*0000*/                   EXIT ;
"""


def test_parts_of_an_instruction_and_the_row_where_it_stands() -> None:
    kernel, other = functions(TEXT)
    load, spill, indirect, jump, last = kernel.instructions
    assert (load.row, load.address, load.predicate, load.name) == (4, 0, "!P0", "LDG")
    assert load.modifiers == ("E", "128", "CONSTANT")
    assert load.operands == ("R8", "desc[UR6][R4.64+0x800]")
    assert (spill.operands, spill.remark) == (("[R1+0x18]", "R22"), "SpillRefill")
    assert (indirect.operands, indirect.targets) == (("R2 -0x30",), (".L_x_1", ".L_x_2"))
    assert (jump.opcode, jump.targets) == ("BRA.U", (".L_x_1",))
    assert (last.opcode, last.operands) == ("NOP", ())
    assert (kernel.labels[".L_x_1"], kernel.label_rows[".L_x_1"]) == (3, 8)
    assert kernel.at(0x30) is jump
    assert kernel.at(0x38) is None
    assert (other.name, len(other.instructions)) == ("other", 1)
    assert function(TEXT, "other") == other
    assert function(TEXT, "elsewhere") == kernel
    assert function("") is None


def test_opcodes_and_operands_are_those_of_nvdisasm_json(cubins: list[Binary]) -> None:
    for binary in chosen(cubins):
        printed = json.loads(tools.disassemble(binary.data, "-json"))[1]
        ours = functions(binary.sass)
        assert {each.name for each in ours} == {name for each in printed if (name := each["function-name"])}, binary
        for theirs in printed:
            read = next(each for each in ours if each.name == theirs["function-name"])
            # JSON takes the PR of P2R for a predicate, and has addresses where the text has labels.
            assert [
                (ours_, theirs_)
                for ours_, theirs_ in zip(read.instructions, theirs["sass-instructions"], strict=True)
                if (ours_.predicate or "") != theirs_.get("predicate", "").removeprefix("@").replace("PR", "")
                or ours_.opcode != theirs_["opcode"]
                or (
                    ours_.name not in ("P2R", "R2P")
                    and not ours_.targets
                    and plain(",".join(ours_.operands)) != plain(theirs_.get("operands", ""))
                )
            ] == [], binary


def test_encodings_are_those_of_nvdisasm_hex(cubins: list[Binary]) -> None:
    for binary in chosen(cubins):
        text = tools.disassemble(binary.data, "-c", "-hex")
        words = [int(word, 16) for word in re.findall(r"/\* 0x([0-9a-f]{16}) \*/", text)]
        printed = [low | high << 64 for low, high in zip(words[::2], words[1::2], strict=True)]
        encoded = encodings(binary.data)
        ours = [encoded[each.name][one.address] for each in functions(text) for one in each.instructions]
        assert ours == printed, binary


def test_reuse_flags_are_those_that_nvdisasm_prints(cubins: list[Binary]) -> None:
    flags = 0
    for binary in cubins:
        encoded = encodings(binary.data)
        for each in functions(binary.sass):
            for instruction in each.instructions:
                decoded = control.decode(encoded[each.name][instruction.address])
                assert len(decoded.reuse) == sum(".reuse" in operand for operand in instruction.operands), instruction
                flags += len(decoded.reuse)
    assert flags > 100


def test_what_is_waited_for_has_been_raised(cubins: list[Binary]) -> None:
    """A barrier that nothing raises is waited for by nothing; the last of some loads raises one."""
    for binary in cubins:
        encoded = encodings(binary.data)
        for each in functions(binary.sass):
            codes = [control.decode(encoded[each.name][one.address]) for one in each.instructions]
            raised = {code.write_barrier for code in codes} | {code.read_barrier for code in codes}
            assert {number for code in codes for number in code.waits} <= raised, binary
            assert any(
                code.write_barrier is not None
                for instruction, code in zip(each.instructions, codes, strict=True)
                if instruction.name in ("LDG", "S2R")
            ), binary


def test_fields_of_a_control_code() -> None:
    waits, reuse, read, write, no_yield, stall = 0b100001, 0b0101, 3, 7, 1, 11
    bits = stall | no_yield << 4 | write << 5 | read << 8 | waits << 11 | reuse << 17
    decoded = control.decode(bits << 105)
    assert decoded == control.Control(11, False, None, 3, (0, 5), (0, 2))
    assert str(decoded) == "B0----5:R3:W-:-:S11"


def test_damaged_cubins_are_said_to_be(cubins: list[Binary]) -> None:
    with pytest.raises(DamagedCubin):
        encodings(cubins[0].data[:200])
    with pytest.raises(DamagedCubin):
        encodings(b"nothing")


def plain(operands: str) -> str:
    """Without remarks, blanks and commas, of which JSON leaves some out."""
    return re.sub(r'\(\*".*?"\*\)|[\s,]', "", operands)


def chosen(cubins: list[Binary]) -> list[Binary]:
    """A start of nvdisasm for each takes long: those that have calls, products and spills."""
    found = [binary for binary in cubins if binary.name in ("calls", "product", "softmax_32_registers")]
    assert found
    return found
