#!/usr/bin/env python3
"""Write the variants of the families that are not dense, with transformers as the reference.

    python make_with_transformers.py [NAME ...]

Needs transformers 5.23.0 and torch 2.15.0. Weights are random, rounded to F16; `expected.safetensors` has what the
reference computes from them in float32, with plain attention and without a cache.
"""
import importlib
import json
import os
import sys

import torch
from safetensors.torch import load_file, save_file

HERE = os.path.dirname(os.path.abspath(__file__))
TOKENS = 150
BASE = dict(vocab_size=150, hidden_size=48, intermediate_size=80, num_attention_heads=6, num_key_value_heads=3,
            head_dim=16, max_position_embeddings=512, pad_token_id=0, bos_token_id=1, eos_token_id=2,
            tie_word_embeddings=False)
PLAIN = dict(rope_type="default", rope_theta=10000.0)
YARN = dict(rope_type="yarn", factor=4.0, beta_fast=16.0, beta_slow=2.0, mscale=0.7, mscale_all_dim=0.9,
            original_max_position_embeddings=48, rope_theta=5000.0)
LATENT = dict(num_key_value_heads=6, n_routed_experts=6, num_experts_per_tok=2, moe_intermediate_size=32,
              kv_lora_rank=20, qk_rope_head_dim=8, qk_nope_head_dim=12, v_head_dim=18, scoring_func="sigmoid",
              topk_method="noaux_tc")


SMALL = dict(hidden_size=64, intermediate_size=96, num_attention_heads=4, num_key_value_heads=2, num_hidden_layers=2)


def case(module, prefix, config=None, joined=False, pack=None, drop=(), **settings):
    settings = {**BASE, **settings}
    for key in drop:
        settings.pop(key)
    return dict(module=module, prefix=prefix, config=config or prefix + "Config", joined=joined, pack=pack, settings=settings)


CASES = {
    # No experts everywhere, weights that do not add up to one.
    "qwen3-moe-among-dense": case(
        "qwen3_moe", "Qwen3Moe", num_hidden_layers=4, num_local_experts=6, num_experts_per_tok=3,
        moe_intermediate_size=32, norm_topk_prob=False, decoder_sparse_step=2, mlp_only_layers=[3]),
    # Values wider than keys and no multiple of a vector, three value heads to a key head, three taps, attention first.
    "qwen3_5-odd": case(
        "qwen3_5", "Qwen3_5", "Qwen3_5TextConfig", num_hidden_layers=4, tie_word_embeddings=True, attention_bias=True,
        layer_types=["full_attention", "linear_attention", "linear_attention", "full_attention"],
        rope_parameters=dict(rope_type="default", rope_theta=1e6, partial_rotary_factor=0.5,
                             mrope_section=[2, 1, 1], mrope_interleaved=True),
        linear_key_head_dim=12, linear_value_head_dim=20, linear_num_key_heads=2, linear_num_value_heads=6,
        linear_conv_kernel_dim=3),
    # Experts in joined tensors, a shared expert of another width.
    "qwen3_5-moe-joined": case(
        "qwen3_5_moe", "Qwen3_5Moe", "Qwen3_5MoeTextConfig", joined=True, num_hidden_layers=2, num_experts=6,
        num_experts_per_tok=3, moe_intermediate_size=32, shared_expert_intermediate_size=40,
        layer_types=["linear_attention", "full_attention"],
        rope_parameters=dict(rope_type="default", rope_theta=1e6, partial_rotary_factor=0.25,
                             mrope_section=[1, 1, 0], mrope_interleaved=True),
        linear_key_head_dim=16, linear_value_head_dim=16, linear_num_key_heads=2, linear_num_value_heads=2,
        linear_conv_kernel_dim=4),
    # Experts beside the gated layer, keys that are values, fewer key heads in full layers, no inputs per layer.
    "gemma4-experts": case(
        "gemma4", "Gemma4", "Gemma4TextConfig", joined=True, num_hidden_layers=4, tie_word_embeddings=True,
        sliding_window=20, global_head_dim=32, num_global_key_value_heads=2, attention_k_eq_v=True,
        hidden_size_per_layer_input=0, enable_moe_block=True, num_experts=6, top_k_experts=2,
        moe_intermediate_size=32,
        layer_types=["sliding_attention", "full_attention", "sliding_attention", "full_attention"]),
    # Plain layers among the experts, no norms, no growth.
    "llama4-plain": case(
        "llama4", "Llama4", "Llama4TextConfig", num_hidden_layers=4, intermediate_size=32, intermediate_size_mlp=80,
        num_local_experts=4, num_experts_per_tok=1, interleave_moe_layer_step=2, attention_chunk_size=24,
        no_rope_layer_interval=2, attn_temperature_tuning=False, use_qk_norm=False,
        rope_parameters=dict(rope_type="default", rope_theta=20000.0)),
    # A window of another length in other layers, more experts to a row.
    "gpt-oss-windows": case(
        "gpt_oss", "GptOss", num_hidden_layers=3, intermediate_size=32, num_local_experts=6, num_experts_per_tok=3,
        sliding_window=70, layer_types=["full_attention", "sliding_attention", "full_attention"],
        rope_parameters=dict(rope_type="yarn", factor=16.0, beta_fast=32.0, beta_slow=1.0, truncate=False,
                             original_max_position_embeddings=32, rope_theta=150000.0)),
    # Queries without a compression, one group, weights that do not add up to one, two shared experts, no dense layer.
    "deepseek-v3-plain": case(
        "deepseek_v3", "DeepseekV3", drop=["head_dim"], num_hidden_layers=2, q_lora_rank=None, n_group=1,
        topk_group=1, n_shared_experts=2, first_k_dense_replace=0, norm_topk_prob=False, routed_scaling_factor=1.5,
        rope_parameters=PLAIN, **LATENT),
    # yarn whose two weights differ, three groups.
    "deepseek-v3-yarn": case(
        "deepseek_v3", "DeepseekV3", drop=["head_dim"], num_hidden_layers=3, q_lora_rank=28, n_group=3, topk_group=2,
        n_shared_experts=1, first_k_dense_replace=2, rope_parameters=YARN, **LATENT),
    # More keys than a tile are chosen.
    "deepseek-v3.2-wide": case(
        "deepseek_v32", "DeepseekV32", drop=["head_dim"], num_hidden_layers=2, q_lora_rank=28, n_group=1,
        topk_group=1, n_shared_experts=1, first_k_dense_replace=1, index_topk=70, index_head_dim=16, index_n_heads=16,
        rope_parameters=PLAIN, **LATENT),
    # Other ways to store matrices.
    "qwen3-gptq": case("qwen3", "Qwen3", pack="gptq", **SMALL),
    "qwen3-gptq-zeros": case("qwen3", "Qwen3", pack="gptq-zeros", **SMALL),
    "qwen3-awq": case("qwen3", "Qwen3", pack="awq", **SMALL),
    "qwen3-fp8-rows": case("qwen3", "Qwen3", pack="fp8-rows", **SMALL),
}


def words(numbers, order=range(8)):
    """Eight four-bit numbers of the last dimension to a word, the first of `order` lowest."""
    numbers = numbers.reshape(*numbers.shape[:-1], -1, 8).to(torch.int64)
    word = sum(numbers[..., output] << (4 * place) for place, output in enumerate(order))
    return torch.where(word >= 2**31, word - 2**32, word).to(torch.int32)


def four_bits(name, weight, method):
    """What is stored of a matrix, and the matrix that it stands for."""
    group, (rows, cols) = 32, weight.shape
    parts = weight.reshape(rows, cols // group, group)
    low, high = parts.amin(-1), parts.amax(-1)
    if method == "gptq":
        scale, zero = (parts.abs().amax(-1) / 7.5).half().float(), torch.full_like(low, 8)
    else:
        scale = ((high - low) / 15).half().float()
        zero = (-low / scale).round().clamp(1, 15)
    number = (parts / scale[..., None] + zero[..., None]).round().clamp(0, 15)
    plain = ((number - zero[..., None]) * scale[..., None]).reshape(rows, cols)
    number, order = number.reshape(rows, cols), [0, 2, 4, 6, 1, 3, 5, 7]
    stem = name.removesuffix(".weight")
    stored = {stem + ".scales": scale.T.half().contiguous()}
    if method == "awq":
        stored[stem + ".qweight"] = words(number.T, order)
        stored[stem + ".qzeros"] = words(zero.T, order)
    else:
        stored[stem + ".qweight"] = words(number).T.contiguous()
        stored[stem + ".qzeros"] = words(zero.T - 1)
        stored[stem + ".g_idx"] = (torch.arange(cols) // group).int()
    return stored, plain


def fp8_rows(name, weight):
    scale = weight.abs().amax(-1, keepdim=True) / 448
    stored = (weight / scale).to(torch.float8_e4m3fn)
    return {name: stored, name + "_scale": scale}, stored.float() * scale


@torch.no_grad()
def pack(model, method):
    """Stores the matrices of the layers in another way, and gives the model what they stand for."""
    tensors = {}
    for name, p in model.named_parameters():
        if not name.endswith("_proj.weight"):
            tensors[name] = p.half()
            continue
        stored, plain = fp8_rows(name, p) if method == "fp8-rows" else four_bits(name, p, method)
        tensors.update(stored)
        p.copy_(plain)
    settings = {
        "fp8-rows": dict(quant_method="compressed-tensors", format="float-quantized"),
        "awq": dict(quant_method="awq", bits=4, group_size=32, version="gemm", zero_point=True),
    }
    gptq = dict(quant_method="gptq", bits=4, group_size=32, desc_act=False, sym=method == "gptq")
    return {name: t.contiguous() for name, t in tensors.items()}, settings.get(method, gptq)


@torch.no_grad()
def randomise(model, case):
    """No norm, bias or scale is left at the value that does nothing."""
    random = torch.Generator().manual_seed(1)
    noise = lambda p, width: width * torch.randn(p.shape, generator=random)
    for name, p in model.named_parameters():
        leaf = name.rsplit(".", 1)[-1]
        if "norm" in name and leaf == "weight" or leaf in ("scale", "per_expert_scale"):
            p.add_(noise(p, 0.2))
        elif leaf in ("A_log", "dt_bias", "sinks"):
            p.copy_(noise(p, 0.5) + 0.3)
        elif p.dim() == 1 or leaf.endswith("bias"):
            p.copy_(noise(p, 0.2))
        elif "embed_tokens" in name:
            p.copy_(noise(p, 0.3))
        elif "conv1d" in name:
            p.copy_(noise(p, 0.5))
        else:
            turned = case["module"] in ("gpt_oss", "llama4") and ".experts." in name
            p.copy_(noise(p, 1.5 / p.shape[-2 if turned else -1] ** 0.5))
    for name, b in model.named_buffers():
        if name.endswith("e_score_correction_bias"):
            b.copy_(noise(b, 0.3))
        elif name.endswith("layer_scalar"):
            b.copy_(0.8 + noise(b, 0.1))
    for t in model.state_dict().values():
        if t.is_floating_point():
            t.copy_(t.half().float())


def write(name, case):
    package = importlib.import_module(f"transformers.models.{case['module']}")
    code = importlib.import_module(f"transformers.models.{case['module']}.modeling_{case['module']}")
    config = getattr(package, case["config"])(**case["settings"])
    config._attn_implementation = config._experts_implementation = "eager"
    model = getattr(code, case["prefix"] + "ForCausalLM")(config).float().eval()
    randomise(model, case)
    folder = os.path.join(HERE, name)
    model.save_pretrained(folder)
    path = os.path.join(folder, "model.safetensors")
    tensors = dict(model.state_dict()) if case["joined"] else load_file(path)
    if case["settings"]["tie_word_embeddings"]:
        tensors.pop("lm_head.weight", None)
    tensors, quantised = {k: v.half().contiguous() for k, v in tensors.items()}, None
    if case["pack"]:
        tensors, quantised = pack(model, case["pack"])
    save_file(tensors, path, metadata={"format": "pt"})
    random = torch.Generator().manual_seed(2)
    ids = torch.randint(3, case["settings"]["vocab_size"], (TOKENS,), generator=random)
    with torch.no_grad():
        logits = model(input_ids=ids[None], use_cache=False).logits[0]
    save_file({"input_ids": ids.int(), "logits": logits.contiguous()}, os.path.join(folder, "expected.safetensors"))
    for unused in ("generation_config.json",):
        if os.path.exists(os.path.join(folder, unused)):
            os.remove(os.path.join(folder, unused))
    with open(os.path.join(folder, "config.json")) as f:
        settings = json.load(f)
    if "scoring_func" in case["settings"]:
        settings.update(scoring_func="sigmoid", topk_method="noaux_tc")
    if quantised:
        settings["quantization_config"] = quantised
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump(settings, f, indent=2, sort_keys=True)
        f.write("\n")
    print(name, f"{logits.abs().max():.2f}", sum(os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder)))


for name in sys.argv[1:] or CASES:
    write(name, CASES[name])
