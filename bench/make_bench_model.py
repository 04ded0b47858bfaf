#!/usr/bin/env python3
"""Write a GGUF of any size with random but valid quantised weights.

Speed does not depend on what the weights say, so a benchmark needs no download: this writes
the blocks of each quantisation directly, in seconds, with a real tokenizer copied from a
vocabulary file (`cargo xtask golden` brings it). The text such a model produces is noise.

    python3 bench/make_bench_model.py qwen3-4b Q4_K_M out.gguf
    python3 bench/make_bench_model.py qwen3-30b-a3b Q4_K_M out.gguf     # 18 GB
    python3 bench/make_bench_model.py qwen3-0.6b Q4_K_M out.gguf --cycle

With --cycle every token has one that follows it, and 256 of them go round: an answer repeats
itself and its prompt, and `hearth bench --guesses` shows what guessing can bring.

Needs: pip install gguf numpy. Shapes: see SHAPES. Mixes: Q4_0, Q8_0, Q4_K_M, Q6_K, F16.
"""
import sys
from pathlib import Path

import gguf
import numpy as np

VOCAB_FILE = Path(__file__).parent.parent / "target" / "golden" / "tokenizers" / "ggml-vocab-qwen2.gguf"
VOCAB = 151936

# name: (layers, hidden, heads, kv heads, head dim, ffn, experts, experts used, expert ffn)
SHAPES = {
    "qwen3-0.6b": (28, 1024, 16, 8, 128, 3072, 0, 0, 0),
    "qwen3-1.7b": (28, 2048, 16, 8, 128, 6144, 0, 0, 0),
    "qwen3-4b": (36, 2560, 32, 8, 128, 9728, 0, 0, 0),
    "qwen3-8b": (36, 4096, 32, 8, 128, 12288, 0, 0, 0),
    "qwen3-30b-a3b": (48, 2048, 32, 4, 128, 6144, 128, 8, 768),
}

Q = gguf.GGMLQuantizationType
rng = np.random.default_rng(7)


def f16_bytes(n: int, scale: float) -> np.ndarray:
    x = (scale * (0.75 + 0.5 * rng.random(n, dtype=np.float32))).astype(np.float16)
    return x.view(np.uint8).reshape(n, 2)


def raw(n: int, width: int) -> np.ndarray:
    return np.frombuffer(rng.bytes(n * width), dtype=np.uint8).reshape(n, width)


def blocks(kind: Q, n: int, std: float) -> np.ndarray:
    """`n` random blocks of `kind`, as bytes, whose weights have roughly this deviation."""
    if kind == Q.Q8_0:
        return np.concatenate([f16_bytes(n, std / 74), raw(n, 32)], axis=1)
    if kind == Q.Q4_0:
        return np.concatenate([f16_bytes(n, std / 4.6), raw(n, 16)], axis=1)
    if kind == Q.Q4_K:  # d, dmin, 12 bytes of 6-bit scales and mins, 128 bytes of nibbles
        return np.concatenate([f16_bytes(n, std / 170), f16_bytes(n, std / 23), raw(n, 12), raw(n, 128)], axis=1)
    if kind == Q.Q6_K:  # 128 low bits, 64 high bits, 16 int8 scales, d
        return np.concatenate([raw(n, 192), raw(n, 16), f16_bytes(n, std / 1360)], axis=1)
    raise ValueError(f"no writer for {kind}")


class Writer:
    def __init__(self, path: str, arch: str):
        self.w = gguf.GGUFWriter(path, arch, use_temp_file=False)

    def zeros(self, name: str, shape: tuple[int, ...], kind: Q) -> None:
        """Blocks whose factors are 0."""
        block, size = gguf.GGML_QUANT_SIZES[kind]
        rows = np.zeros((*shape[:-1], shape[-1] // block * size), dtype=np.uint8)
        self.w.add_tensor(name, rows, raw_dtype=kind)

    def weight(self, name: str, shape: tuple[int, ...], kind: Q) -> np.ndarray:
        """`shape` is (rows…, columns); one tile of blocks is repeated to fill large tensors."""
        std, count = 1.0 / np.sqrt(shape[-1]), int(np.prod(shape))
        if kind == Q.F16:
            data = (std * rng.standard_normal(shape, dtype=np.float32)).astype(np.float16)
            self.w.add_tensor(name, data)
            return data
        size, _ = gguf.GGML_QUANT_SIZES[kind]
        n, tile = count // size, 1 << 16
        data = blocks(kind, min(n, tile), std)
        if n > tile:
            data = np.tile(data, (-(-n // tile), 1))[:n]
        rows = data.reshape(*shape[:-1], -1)
        self.w.add_tensor(name, rows, raw_dtype=kind)
        return rows

    def successors(self, name: str, rows: np.ndarray, kind: Q) -> None:
        """Row i + 1 is what `rows` has for i; 256 of them go round."""
        rolled = [np.roll(rows[i:i + 256], 1, axis=0) for i in range(0, len(rows), 256)]
        self.w.add_tensor(name, np.concatenate(rolled), raw_dtype=None if kind == Q.F16 else kind)

    def norm(self, name: str, n: int) -> None:
        self.w.add_tensor(name, (1 + 0.1 * rng.standard_normal(n, dtype=np.float32)).astype(np.float32))


def copy_tokenizer(w: gguf.GGUFWriter) -> None:
    for f in gguf.GGUFReader(str(VOCAB_FILE)).fields.values():
        if not f.name.startswith("tokenizer."):
            continue
        value = f.contents()
        if f.name == "tokenizer.ggml.tokens":
            w.add_token_list(list(value) + [f"[PAD{i}]" for i in range(len(value), VOCAB)])
        elif f.name == "tokenizer.ggml.token_type":
            w.add_token_types(list(value) + [5] * (VOCAB - len(value)))
        elif f.name == "tokenizer.ggml.merges":
            w.add_token_merges(value)
        elif f.types[0] == gguf.GGUFValueType.STRING:
            w.add_string(f.name, value)
        elif f.types[0] == gguf.GGUFValueType.UINT32:
            w.add_uint32(f.name, int(value))
        elif f.types[0] == gguf.GGUFValueType.BOOL:
            w.add_bool(f.name, bool(value))


def main(shape: str, mix: str, out: str, cycle: bool) -> None:
    layers, hidden, heads, kv, hd, ffn, experts, used, eff = SHAPES[shape]
    moe = experts > 0
    b = Writer(out, "qwen3moe" if moe else "qwen3")
    w = b.w
    w.add_name(f"{shape} (random weights)")
    w.add_context_length(40960)
    w.add_embedding_length(hidden)
    w.add_block_count(layers)
    w.add_feed_forward_length(ffn)
    w.add_head_count(heads)
    w.add_head_count_kv(kv)
    w.add_key_length(hd)
    w.add_value_length(hd)
    w.add_rope_freq_base(1e6)
    w.add_layer_norm_rms_eps(1e-6)
    if moe:
        w.add_expert_count(experts)
        w.add_expert_used_count(used)
        w.add_expert_feed_forward_length(eff)
    copy_tokenizer(w)
    base = {"Q4_K_M": Q.Q4_K}.get(mix) or Q[mix]
    big = Q.Q6_K if mix in ("Q4_K_M", "Q4_0") else base  # token embedding (tied output)
    embedding = b.weight("token_embd.weight", (VOCAB, hidden), big)
    if cycle:
        b.successors("output.weight", embedding, big)
    # Nothing is added to a token's embedding then, but all is computed.
    last = b.zeros if cycle else b.weight
    b.norm("output_norm.weight", hidden)
    for i in range(layers):
        # Q4_K_M keeps attn_v and ffn_down at 6 bits in half of the layers
        better = Q.Q6_K if mix == "Q4_K_M" and (i < layers // 8 or i >= 7 * layers // 8 or i % 3 == 2) else base
        p = f"blk.{i}."
        for name in ("attn_norm", "ffn_norm"):
            b.norm(f"{p}{name}.weight", hidden)
        for name in ("attn_q_norm", "attn_k_norm"):
            b.norm(f"{p}{name}.weight", hd)
        b.weight(p + "attn_q.weight", (heads * hd, hidden), base)
        b.weight(p + "attn_k.weight", (kv * hd, hidden), base)
        b.weight(p + "attn_v.weight", (kv * hd, hidden), better)
        last(p + "attn_output.weight", (hidden, heads * hd), base)
        if moe:
            w.add_tensor(p + "ffn_gate_inp.weight", (rng.standard_normal((experts, hidden), dtype=np.float32) / np.sqrt(hidden)).astype(np.float32))
            b.weight(p + "ffn_gate_exps.weight", (experts, eff, hidden), base)
            b.weight(p + "ffn_up_exps.weight", (experts, eff, hidden), base)
            last(p + "ffn_down_exps.weight", (experts, hidden, eff), better)
        else:
            b.weight(p + "ffn_gate.weight", (ffn, hidden), base)
            b.weight(p + "ffn_up.weight", (ffn, hidden), base)
            last(p + "ffn_down.weight", (hidden, ffn), better)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


if __name__ == "__main__":
    names = [argument for argument in sys.argv[1:] if argument != "--cycle"]
    if len(names) != 3 or names[0] not in SHAPES:
        sys.exit(__doc__)
    main(*names, cycle="--cycle" in sys.argv)
