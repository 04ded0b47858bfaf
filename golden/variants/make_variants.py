#!/usr/bin/env python3
"""Tiny checkpoints with the options that `models/` does not exercise, and their logits.

    python make_variants.py                 (needs numpy; takes seconds)

The reference is the forward pass below, written from transformers' published formulas in float64
and sharing no code with hearth. Before it writes anything it recomputes the four cases of
`../models` and stops if one is off, so it is itself checked against transformers.
"""
import json
import math
import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
DTYPES = {"F32": np.float32, "F16": np.float16, "I32": np.int32}
TOKENS = 150


def load(path):
    data = open(path, "rb").read()
    n = int.from_bytes(data[:8], "little")
    out = {}
    for name, t in json.loads(data[8:8 + n]).items():
        if name == "__metadata__":
            continue
        begin, end = t["data_offsets"]
        raw = data[8 + n + begin:8 + n + end]
        if t["dtype"] == "BF16":
            x = (np.frombuffer(raw, np.uint16).astype(np.uint32) << 16).view(np.float32)
        else:
            x = np.frombuffer(raw, DTYPES[t["dtype"]])
        out[name] = x.reshape(t["shape"])
    return out


def save(path, tensors):
    names = {np.dtype(v): k for k, v in DTYPES.items()}
    head, offset = {}, 0
    for name, x in tensors.items():
        head[name] = {"dtype": names[x.dtype], "shape": list(x.shape),
                      "data_offsets": [offset, offset + x.nbytes]}
        offset += x.nbytes
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text)
        for x in tensors.values():
            f.write(np.ascontiguousarray(x).tobytes())


def rope(c, head_dim):
    """Angle per position of each pair, and the factor of cosines and sines."""
    r = c.get("rope_parameters") or c.get("rope_scaling") or {}
    base = r.get("rope_theta", c.get("rope_theta", 10000.0))
    f = np.array([1.0 / base ** (i / head_dim) for i in range(0, head_dim, 2)])
    kind = r.get("rope_type", r.get("type", "default"))
    if kind == "linear":
        return f / r["factor"], 1.0
    if kind == "llama3":
        factor, low, high = r["factor"], r["low_freq_factor"], r["high_freq_factor"]
        length = r["original_max_position_embeddings"]
        out = []
        for x in f:
            wave = 2 * math.pi / x
            s = (length / wave - low) / (high - low)
            if wave < length / high:
                out.append(x)
            elif wave > length / low:
                out.append(x / factor)
            else:
                out.append((1 - s) * x / factor + s * x)
        return np.array(out), 1.0
    if kind == "yarn":
        factor, length = r["factor"], r["original_max_position_embeddings"]

        def pair(turns):
            return head_dim * math.log(length / (turns * 2 * math.pi)) / (2 * math.log(base))

        low, high = pair(r.get("beta_fast", 32)), pair(r.get("beta_slow", 1))
        if r.get("truncate", True):
            low, high = math.floor(low), math.ceil(high)
        low, high = max(low, 0), min(high, head_dim - 1)
        ramp = np.clip((np.arange(head_dim // 2) - low) / max(high - low, 0.001), 0, 1)
        return f / factor * ramp + f * (1 - ramp), r.get("attention_factor", 0.1 * math.log(factor) + 1)
    return f, 1.0


def windowed(c, layer):
    if c["model_type"] == "mistral":
        return c.get("sliding_window")
    if not c.get("use_sliding_window"):
        return None
    kinds = c.get("layer_types")
    slides = kinds[layer] == "sliding_attention" if kinds else layer >= c["max_window_layers"]
    return c["sliding_window"] if slides else None


def forward(c, weights, ids):
    w = {k: v.astype(np.float64) for k, v in weights.items()}
    heads, n = c["num_attention_heads"], len(ids)
    keys = c.get("num_key_value_heads") or heads
    dim = c.get("head_dim") or c["hidden_size"] // heads
    f, magnitude = rope(c, dim)
    at = np.arange(n)
    angle = (at[:, None] * f)[:, None]
    cos, sin = np.cos(angle) * magnitude, np.sin(angle) * magnitude

    def norm(x, name):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + c["rms_norm_eps"]) * w[name + ".weight"]

    def linear(x, name):
        return x @ w[name + ".weight"].T + w.get(name + ".bias", 0)

    def turn(x):
        a, b = x[..., :dim // 2], x[..., dim // 2:]
        return np.concatenate([a * cos - b * sin, b * cos + a * sin], -1)

    x = w["model.embed_tokens.weight"][ids]
    for i in range(c["num_hidden_layers"]):
        p = f"model.layers.{i}."
        h = norm(x, p + "input_layernorm")
        q, k, v = (linear(h, f"{p}self_attn.{z}_proj").reshape(n, -1, dim) for z in "qkv")
        if p + "self_attn.q_norm.weight" in w:
            q, k = norm(q, p + "self_attn.q_norm"), norm(k, p + "self_attn.k_norm")
        q, k, v = turn(q), np.repeat(turn(k), heads // keys, 1), np.repeat(v, heads // keys, 1)
        s = np.einsum("qhd,khd->hqk", q, k) / math.sqrt(dim)
        hidden = at[None, :] > at[:, None]
        if windowed(c, i):
            hidden |= at[None, :] <= at[:, None] - windowed(c, i)
        s = np.where(hidden[None], -np.inf, s)
        s = np.exp(s - s.max(-1, keepdims=True))
        s /= s.sum(-1, keepdims=True)
        x = x + linear(np.einsum("hqk,khd->qhd", s, v).reshape(n, -1), p + "self_attn.o_proj")
        h = norm(x, p + "post_attention_layernorm")
        gate = linear(h, p + "mlp.gate_proj")
        x = x + linear(gate / (1 + np.exp(-gate)) * linear(h, p + "mlp.up_proj"), p + "mlp.down_proj")
    head = "model.embed_tokens" if c.get("tie_word_embeddings") else "lm_head"
    return norm(x, "model.norm") @ w[head + ".weight"].T


def check():
    for name in ("llama", "mistral", "qwen2", "qwen3"):
        d = os.path.join(HERE, "..", "models", name)
        expected = load(d + "/expected.safetensors")
        got = forward(json.load(open(d + "/config.json")), load(d + "/model.safetensors"),
                      expected["input_ids"])
        worst = np.abs(got - expected["logits"]).max()
        assert worst < 1e-4, (name, worst)
        print(f"reference against transformers, {name}: {worst:.1e}")


BASE = {"hidden_size": 48, "intermediate_size": 76, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "vocab_size": 150, "max_position_embeddings": 512,
        "rms_norm_eps": 1e-5, "hidden_act": "silu", "tie_word_embeddings": False}


def config(family, **more):
    name = {"llama": "Llama", "qwen2": "Qwen2", "qwen3": "Qwen3", "mistral": "Mistral"}[family]
    return {"architectures": [name + "ForCausalLM"], "model_type": family, **BASE, **more}


YARN = {"rope_type": "yarn", "factor": 8.0, "rope_theta": 10000.0, "original_max_position_embeddings": 64}
CASES = {
    "llama-linear": config("llama", rope_scaling={"type": "linear", "factor": 4.0}),
    "llama-yarn": config("llama", head_dim=20, rope_parameters=YARN),
    "llama-yarn-tuned": config("llama", rope_parameters={
        **YARN, "attention_factor": 0.9, "beta_fast": 16, "beta_slow": 2, "truncate": False}),
    "llama-biases": config("llama", attention_bias=True, mlp_bias=True),
    "llama-tied-mha": config("llama", tie_word_embeddings=True, num_key_value_heads=None),
    "qwen2-window": config("qwen2", use_sliding_window=True, sliding_window=70, layer_types=[
        "sliding_attention", "full_attention"]),
    "qwen2-window-legacy": config("qwen2", use_sliding_window=True, sliding_window=20,
                                  max_window_layers=1),
    "qwen3-bias": config("qwen3", head_dim=24, attention_bias=True),
    "mistral-wide-window": config("mistral", sliding_window=65, head_dim=18),
    "mistral-full": config("mistral", sliding_window=None),
}


def weights(c, rng):
    hidden, wide, vocabulary = c["hidden_size"], c["intermediate_size"], c["vocab_size"]
    heads = c["num_attention_heads"]
    keys, dim = c["num_key_value_heads"] or heads, c.get("head_dim") or hidden // heads
    biased = {"qwen2": "qkv"}.get(c["model_type"], "qkvo" if c.get("attention_bias") else "")

    def matrix(rows, cols, scale):
        return (rng.standard_normal((rows, cols)) * scale / math.sqrt(cols)).astype(np.float16)

    def vector(n, mean, spread):
        return (mean + spread * rng.standard_normal(n)).astype(np.float16)

    w = {"model.embed_tokens.weight": matrix(vocabulary, hidden, 5.0)}
    for i in range(c["num_hidden_layers"]):
        p = f"model.layers.{i}."
        shapes = {"q": (heads * dim, hidden), "k": (keys * dim, hidden), "v": (keys * dim, hidden),
                  "o": (hidden, heads * dim)}
        for z, shape in shapes.items():
            w[f"{p}self_attn.{z}_proj.weight"] = matrix(*shape, 1.8 if z in "qk" else 1.2)
            if z in biased:
                w[f"{p}self_attn.{z}_proj.bias"] = vector(shape[0], 0, 0.3)
        for z, shape in {"gate": (wide, hidden), "up": (wide, hidden), "down": (hidden, wide)}.items():
            w[f"{p}mlp.{z}_proj.weight"] = matrix(*shape, 1.2)
            if c.get("mlp_bias"):
                w[f"{p}mlp.{z}_proj.bias"] = vector(shape[0], 0, 0.3)
        for z in ("input_layernorm", "post_attention_layernorm"):
            w[f"{p}{z}.weight"] = vector(hidden, 1, 0.2)
        if c["model_type"] == "qwen3":
            for z in "qk":
                w[f"{p}self_attn.{z}_norm.weight"] = vector(dim, 1, 0.2)
    w["model.norm.weight"] = vector(hidden, 1, 0.2)
    if not c["tie_word_embeddings"]:
        w["lm_head.weight"] = matrix(vocabulary, hidden, 2.5)
    return w


def main():
    check()
    for seed, (name, c) in enumerate(CASES.items()):
        rng, d = np.random.default_rng(seed), os.path.join(HERE, name)
        os.makedirs(d, exist_ok=True)
        w, ids = weights(c, rng), rng.integers(0, c["vocab_size"], TOKENS).astype(np.int32)
        with open(d + "/config.json", "w") as f:
            json.dump(c, f, indent=1)
        save(d + "/model.safetensors", w)
        logits = forward(c, w, ids)
        save(d + "/expected.safetensors", {"input_ids": ids, "logits": logits.astype(np.float32)})
        print(f"{name}: logits spread {logits.std():.2f}")


if __name__ == "__main__":
    main()
