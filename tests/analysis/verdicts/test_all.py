"""What holds for all verdicts, on the sample kernels, on other Tritons and on damaged texts."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from samples import SAMPLE_KERNELS, SAMPLES, sample_id
from telling import check

from irscope.analysis.figures import figures
from irscope.analysis.verdicts import RULES, verdicts
from irscope.model import Compilation, Stage
from irscope.report.document import document, schema
from irscope.report.summary import summary


@pytest.mark.parametrize("target", ["sm_90", "gfx942"])
@pytest.mark.parametrize("path", SAMPLE_KERNELS, ids=sample_id)
def test_every_verdict_has_evidence(compiled_sample: Callable[..., Compilation], path: str, target: str) -> None:
    compilation = compiled_sample(path, target)
    found = verdicts(compilation)
    assert found
    for verdict in found:
        check(compilation, verdict)
        assert verdict.sentence[0].isupper() or verdict.sentence[0].isdigit()
        assert verdict.sentence.endswith(".") and "\n" not in verdict.sentence
    # What Triton's rules allow is what is there: the analysis of axes is that of the compiler.
    widths = [verdict for verdict in found if verdict.rule == "vectorization"]
    assert target != "sm_90" or (widths and all(verdict.tone != "unknown" for verdict in widths))


def test_in_the_reports(matmul: Compilation) -> None:
    found = verdicts(matmul)
    listed = document(matmul, figures(matmul))["verdicts"]
    assert [entry["sentence"] for entry in json.loads(json.dumps(listed))] == [verdict.sentence for verdict in found]
    described = schema()["$defs"]["compilation"]["properties"]["verdicts"]["items"]
    for entry in listed:
        assert set(entry) == set(described["required"])
        assert entry["tone"] in described["properties"]["tone"]["enum"]
        assert entry["evidence"] and all(place["line"] >= 1 for place in entry["evidence"])
    shown = summary(matmul, figures(matmul), {})
    assert all(verdict.sentence in shown for verdict in found)


def test_nothing_is_said_of_what_is_not_there(matmul: Compilation) -> None:
    assert not verdicts(replace(matmul, stages={}))
    # From PTX alone: nothing tells which instruction a tl.dot or a tl.load became.
    only = replace(matmul, stages={"ptx": matmul.stages["ptx"]})
    assert not [
        verdict for verdict in verdicts(only) if verdict.rule in ("tensor cores", "vectorization", "pipelining")
    ]


def test_without_its_source_evidence_is_in_the_stages(matmul: Compilation) -> None:
    found = verdicts(replace(matmul, sources=()))
    assert found and all(place.stage != "source" for verdict in found for place in verdict.evidence)


def test_damaged_texts_do_no_harm(matmul: Compilation) -> None:
    chance = random.Random(20)
    for number in range(60):
        name = chance.choice([name for name, stage in matmul.stages.items() if stage.text])
        text = matmul.text(name)
        if number % 2:
            text = text[: chance.randrange(len(text))]
        else:
            letters = list(text)
            for _ in range(60):
                letters[chance.randrange(len(letters))] = chance.choice('<>(){}"%#:, 0x')
            text = "".join(letters)
        for verdict in verdicts(replace(matmul, stages={**matmul.stages, name: Stage(name, text=text)})):
            assert verdict.evidence


def test_rules_are_listed_once() -> None:
    assert len(set(RULES)) == len(RULES)


def test_ptx_without_call_sites(compiled_sample: Callable[..., Compilation]) -> None:
    """As with Triton 3.3: what two calls became cannot be told apart, but it is there."""
    attention = compiled_sample(f"{SAMPLES / 'flash_attention.py'}::flash_attention_kernel", "sm_90")
    text = re.sub(r"(\.loc\s+\d+ \d+ \d+)[^\n]*", r"\1", attention.text("ptx"))
    older = replace(attention, stages={**attention.stages, "ptx": Stage("ptx", text=text)})
    dots = [verdict for verdict in verdicts(older) if verdict.rule == "tensor cores"]
    assert dots and all(verdict.tone == "good" and "wgmma" in verdict.sentence for verdict in dots)
