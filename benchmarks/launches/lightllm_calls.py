"""Kernels of lightllm for serving llama: paged attention, norms, quantized matrices."""

from __future__ import annotations

from attempts import FLOATS, attempt, normal, up_to, zeros  # isort: skip

import importlib
import importlib.util
from pathlib import Path

import torch

BATCH, LENGTH, HEADS, KEYS, DIM = 2, 64, 8, 2, 128
ROWS = BATCH * LENGTH


def module(name: str, model: str = "llama") -> object:
    return importlib.import_module(f"lightllm.models.{model}.triton_kernel.{name}")


def common(name: str) -> object:
    """Loaded by its file: its package needs more than the kernel does."""
    (folder,) = importlib.import_module("lightllm").__path__
    file = Path(folder, "common", "basemodel", "triton_kernel", f"{name}.py")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def run(place: object, name: str, *arguments: object, **named: object) -> None:
    attempt(getattr(place, name), *arguments, **named)


def integers(*values: int) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.int32, device="cuda")


def launch_all(half: torch.dtype) -> None:
    table = up_to(ROWS, BATCH, LENGTH, dtype=torch.int32)
    requests, starts, lengths = integers(0, 1), integers(0, LENGTH), integers(LENGTH, LENGTH)
    ready = integers(0, 0)
    q = normal(ROWS, HEADS, DIM, dtype=half)
    k, v = normal(ROWS, KEYS, DIM, dtype=half), normal(ROWS, KEYS, DIM, dtype=half)
    one = normal(BATCH, HEADS, DIM, dtype=half)
    scores = normal(HEADS, ROWS, dtype=half)
    small, scale = up_to(100, ROWS, KEYS, DIM, dtype=torch.int8), normal(ROWS, KEYS, 1, dtype=half)

    run(module("silu_and_mul"), "silu_and_mul_fwd", normal(ROWS, 512, dtype=half))
    run(module("gelu_and_mul", "gemma_2b"), "gelu_and_mul_fwd", normal(ROWS, 512, dtype=half))
    run(module("rmsnorm"), "rmsnorm_forward", normal(ROWS, 512, dtype=half), normal(512, dtype=half), 1e-5)
    rows, row = normal(ROWS, 512, dtype=half), normal(512, dtype=half)
    run(module("layernorm", "bloom"), "layernorm_forward", rows, row, row, 1e-5)
    angles = normal(ROWS, DIM // 2, dtype=half)
    run(module("rotary_emb"), "rotary_emb_fwd", q.clone(), k.clone(), angles, angles)
    run(
        module("rotary_emb", "chatglm2"),
        "rotary_emb_fwd",
        q.clone(),
        k.clone(),
        normal(ROWS, DIM // 4),
        normal(ROWS, DIM // 4),
    )
    attention = module("context_flashattention_nopad")
    run(attention, "context_attention_fwd", q, k, v, q, requests, starts, lengths, ready, LENGTH, table)
    run(attention, "context_attention_fwd_no_prompt_cache", q, k, v, q, starts, lengths, LENGTH)
    run(
        module("context_flashattention_nopad", "mistral"),
        "context_attention_fwd",
        q,
        k,
        v,
        q,
        starts,
        lengths,
        LENGTH,
        32,
    )
    run(
        module("context_flashattention_nopad", "bloom"), "context_attention_fwd",
        q, q, q, q, requests, normal(HEADS), starts, lengths, ready, LENGTH, table,
    )  # fmt: skip
    first = module("token_attention_nopad_att1")
    run(first, "token_att_fwd", one, k, scores, table, requests, starts, lengths, LENGTH)
    run(first, "token_att_fwd_int8k", one, small, scale, scores, table, requests, starts, lengths, LENGTH)
    run(module("token_attention_nopad_softmax"), "token_softmax_fwd", scores, starts, lengths, scores.clone(), LENGTH)
    second = module("token_attention_nopad_reduceV")
    run(second, "token_att_fwd2", scores, v, one, table, requests, starts, lengths)
    run(second, "token_att_fwd2_int8v", scores, small, scale, one, table, requests, starts, lengths, LENGTH)
    both = module("token_attention_softmax_and_reducev")
    run(both, "token_softmax_reducev_fwd", scores, v, one, table, requests, starts, lengths, 0)
    parts, sums = normal(BATCH, HEADS, 4, DIM), normal(BATCH, HEADS, 4)
    stages = module("flash_decoding_stage1"), module("flash_decoding_stage2")
    run(stages[0], "flash_decode_stage1", one, k, v, table, requests, lengths, LENGTH, parts, sums, 16)
    run(stages[1], "flash_decode_stage2", parts, sums, lengths, one, 16)
    grouped = module("gqa_flash_decoding_stage1")
    blocks = integers(0, 0, 1, 1), integers(0, 1, 0, 1)
    run(grouped, "flash_decode_stage1", *blocks, one, k, v, table, requests, lengths, parts, sums, 16)
    run(module("gqa_flash_decoding_stage2"), "flash_decode_stage2", parts, sums, lengths, one, 16)
    run(module("gqa_decode_flashattention_nopad"), "gqa_decode_attention_fwd", one, k, v, one, table, requests, lengths)
    fused = module("splitfuse_context_flashattention_nopad")
    run(
        fused, "splitfuse_context_attention_fwd", q, k, v, q, BATCH, table, requests, starts, ready, lengths, LENGTH
    )  # fmt: skip
    run(
        fused, "splitfuse_context_attention_fwd_int8kv",
        q, small, scale, small, scale, q, BATCH, table, requests, starts, ready, lengths, LENGTH,
    )  # fmt: skip
    places = up_to(ROWS, ROWS, dtype=torch.int32)
    copies = common("destindex_copy_kv")
    run(copies, "destindex_copy_kv", k, places, k.clone())
    run(copies, "destindex_copy_quantize_kv", k, places, small.clone(), scale.clone())
    run(
        module("ppl_quant_copy_kv"),
        "destindex_copy_quantize_kv",
        k,
        places,
        small,
        zeros(ROWS, KEYS, DIM // 8, dtype=half),
    )
    run(
        common("apply_penalty"), "apply_penalty", normal(BATCH, 1000), normal(BATCH), normal(BATCH), normal(BATCH),
        up_to(1000, 16, dtype=torch.int32), up_to(5, 16, dtype=torch.int32), integers(0, 8, 16), 8,
    )  # fmt: skip
    run(common("copy_kv_index_to_req"), "copy_kv_index_to_req", table, requests, lengths, places[:2])
    run(
        common("multimodal_emb"), "multimodal_emb", normal(16, 64, dtype=half), up_to(100, 16),
        normal(100, 64, dtype=half), normal(8, 64, dtype=half), up_to(4, 2), up_to(9, 2), up_to(4, 2), 0, 100,
    )  # fmt: skip
    matrix, bytes_, scales = (
        normal(32, 256, dtype=half),
        up_to(100, 256, 256, dtype=torch.int8),
        normal(256, dtype=half),
    )
    run(common("dequantize_gemm_int8"), "matmul_dequantize_int8", matrix, bytes_, scales)
    run(common("quantize_gemm_int8"), "matmul_quantize_int8", matrix, bytes_, scales)
    packed, zero = up_to(1000, 32, 256, dtype=torch.int32), up_to(1000, 2, 32, dtype=torch.int32)
    fours = common("dequantize_gemm_int4")
    run(fours, "matmul_dequantize_int4_gptq", matrix, packed, normal(2, 256, dtype=half), zero, 128)
    run(fours, "matmul_dequantize_int4_s2", matrix, packed, normal(2, 256, dtype=half), zero)
    run(fours, "matmul_dequantize_int4_s1", matrix, packed, normal(2, 256, dtype=half), zero)


for dtype in FLOATS:
    launch_all(dtype)
