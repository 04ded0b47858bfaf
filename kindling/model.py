"""Qwen3's architecture, small, and its export as a Hugging Face folder."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer, models
from torch import nn


@dataclass
class Shape:
    vocabulary: int = 5120
    width: int = 256
    layers: int = 12
    heads: int = 4
    kv_heads: int = 4
    head: int = 64
    inner: int = 768
    context: int = 1024
    theta: float = 10_000.0
    eps: float = 1e-6


class Norm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        return F.rms_norm(x.float(), (x.shape[-1],), self.weight, self.eps).to(x.dtype)


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat((-b, a), -1) * sin


class Attention(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.s = s
        self.q_proj = nn.Linear(s.width, s.heads * s.head, bias=False)
        self.k_proj = nn.Linear(s.width, s.kv_heads * s.head, bias=False)
        self.v_proj = nn.Linear(s.width, s.kv_heads * s.head, bias=False)
        self.o_proj = nn.Linear(s.heads * s.head, s.width, bias=False)
        self.q_norm, self.k_norm = Norm(s.head, s.eps), Norm(s.head, s.eps)

    def forward(self, x, cos, sin):
        b, n, _ = x.shape
        s = self.s
        q = self.q_norm(self.q_proj(x).view(b, n, s.heads, s.head)).transpose(1, 2)
        k = self.k_norm(self.k_proj(x).view(b, n, s.kv_heads, s.head)).transpose(1, 2)
        v = self.v_proj(x).view(b, n, s.kv_heads, s.head).transpose(1, 2)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        if s.kv_heads != s.heads:
            k, v = (t.repeat_interleave(s.heads // s.kv_heads, 1) for t in (k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o_proj(y.transpose(1, 2).reshape(b, n, -1))


class FeedForward(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.gate_proj = nn.Linear(s.width, s.inner, bias=False)
        self.up_proj = nn.Linear(s.width, s.inner, bias=False)
        self.down_proj = nn.Linear(s.inner, s.width, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.input_layernorm = Norm(s.width, s.eps)
        self.self_attn = Attention(s)
        self.post_attention_layernorm = Norm(s.width, s.eps)
        self.mlp = FeedForward(s)

    def forward(self, x, cos, sin):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        return x + self.mlp(self.post_attention_layernorm(x))


class Kindling(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.s = s
        self.embed_tokens = nn.Embedding(s.vocabulary, s.width)
        self.layers = nn.ModuleList(Layer(s) for _ in range(s.layers))
        self.norm = Norm(s.width, s.eps)
        angles = torch.outer(torch.arange(s.context).float(), s.theta ** -(torch.arange(0, s.head, 2).float() / s.head))
        self.register_buffer("cos", torch.cat((angles, angles), -1).cos(), persistent=False)
        self.register_buffer("sin", torch.cat((angles, angles), -1).sin(), persistent=False)
        for name, p in self.named_parameters():
            if p.ndim == 2:
                deep = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(p, std=0.02 / ((2 * s.layers) ** 0.5 if deep else 1))

    def forward(self, ids):
        """The last layer's normalised output for each token."""
        x = self.embed_tokens(ids)
        n = ids.shape[1]
        dtype = torch.get_autocast_dtype(ids.device.type) if torch.is_autocast_enabled(ids.device.type) else x.dtype
        cos, sin = self.cos[:n].to(dtype), self.sin[:n].to(dtype)
        for layer in self.layers:
            x = layer(x, cos, sin)
        return self.norm(x)

    def logits(self, hidden):
        return F.linear(hidden, self.embed_tokens.weight)


def export(model, tokenizer, folder, template):
    """Writes what `hearth import` reads: a folder as Hugging Face lays it out."""
    from safetensors.torch import save_file

    s, folder = model.s, Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"model.{name}": p.detach().float().cpu().contiguous() for name, p in model.named_parameters()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = {
        "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "vocab_size": s.vocabulary, "hidden_size": s.width,
        "num_hidden_layers": s.layers, "num_attention_heads": s.heads, "num_key_value_heads": s.kv_heads, "head_dim": s.head,
        "intermediate_size": s.inner, "max_position_embeddings": s.context, "rope_theta": s.theta, "rms_norm_eps": s.eps,
        "tie_word_embeddings": True, "hidden_act": "silu", "attention_bias": False, "bos_token_id": None, "eos_token_id": 2,
        "torch_dtype": "float32",
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    tokenizer.save(str(folder / "tokenizer.json"))
    tokenizer_config = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "chat_template": template, "tokenizer_class": "Qwen2Tokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer_config, indent=1, ensure_ascii=False))
    (folder / "generation_config.json").write_text(json.dumps({"do_sample": False, "eos_token_id": 2}))


def layers_of(reader):
    """Layers of an open GGUF file."""
    return int(reader.get_field("qwen3.block_count").contents())


@torch.no_grad()
def load(model, path, tokenizer):
    """Takes the weights of a GGUF file that was made of an export, if need be with other tokens.

    A model of more layers has copies behind each of the file's, which change nothing until they are trained.
    """
    from gguf import GGUFReader, dequantize

    names = {
        "token_embd": "embed_tokens", "output_norm": "norm", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
        **{f"attn_{n}": f"self_attn.{n}_proj" for n in "qkv"}, "attn_output": "self_attn.o_proj",
        **{f"attn_{n}_norm": f"self_attn.{n}_norm" for n in "qk"}, **{f"ffn_{n}": f"mlp.{n}_proj" for n in ("gate", "up", "down")},
    }
    reader = GGUFReader(path)
    parameters = dict(model.named_parameters())
    copies = model.s.layers // layers_of(reader)
    for tensor in reader.tensors:
        *layer, name, _ = tensor.name.split(".")
        values = torch.from_numpy(dequantize(tensor.data, tensor.tensor_type).copy())
        if name == "token_embd":
            tokens, merges = (reader.get_field(f"tokenizer.ggml.{n}").contents() for n in ("tokens", "merges"))
            values = translated(values, tokens, merges, tokenizer)
        if not layer:
            parameters.pop(f"{names[name]}.weight").copy_(values)
            continue
        for copy in range(copies):
            adds = copy == 0 or name not in ("attn_output", "ffn_down")
            parameters.pop(f"layers.{int(layer[1]) * copies + copy}.{names[name]}.weight").copy_(values * adds)
    if parameters:
        raise SystemExit(f"{path} lacks {', '.join(parameters)}")


def translated(values, tokens, merges, tokenizer):
    """The values of a tokenizer's tokens: those of the same token, of it behind a space, or the mean of its pieces."""
    place = {token: at for at, token in enumerate(tokens)}
    pieces = Tokenizer(models.BPE(place, [tuple(m.split(" ")) for m in merges]))

    def value(token):
        same = place.get(token, place.get(f"Ġ{token}"))
        return values[same] if same is not None else values[pieces.encode(token).ids].mean(0)

    vocabulary = tokenizer.get_vocab()
    return torch.stack([value(token) for token in sorted(vocabulary, key=vocabulary.get)])


def shape_of(saved):
    return Shape(**saved)


def saved_shape(shape):
    return asdict(shape)
