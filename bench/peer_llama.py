#!/usr/bin/env python3
"""Time llama.cpp on a GGUF: prefill, decode, and decode of several streams at once.

    peer/bin/python bench/peer_llama.py MODEL.gguf --prompt 512 --generate 32 --streams 1,8,16 --threads 2

Prints one JSON object. `cpu_share` is the part of its threads' time that the machine really gave
it: below 0.95 something else was running, llama.cpp's spinning barriers made it collapse, and the
figures say nothing. Set up the peer once (about ten minutes on two cores; clang, because
gcc 12 miscompiles its AMX path and the process crashes):

    apt-get install -y clang
    python3 -m venv peer && CC=clang CXX=clang++ CMAKE_ARGS="-DGGML_NATIVE=ON" \
        peer/bin/pip install --no-binary llama-cpp-python llama-cpp-python==0.3.36
"""
import argparse
import json
import random
import resource
import time

import llama_cpp as L


@L.llama_log_callback
def quiet(_level, _text, _data):
    pass


def context(model, n_ctx: int, n_batch: int, n_seq: int, threads: int):
    p = L.llama_context_default_params()
    p.n_ctx, p.n_batch, p.n_ubatch = n_ctx, n_batch, min(n_batch, 512)
    p.n_seq_max, p.n_threads, p.n_threads_batch = n_seq, threads, threads
    if hasattr(p, "kv_unified"):
        p.kv_unified = True
    ctx = L.llama_init_from_model(model, p)
    assert ctx, "llama.cpp could not make a context"
    return ctx


def decode(ctx, rows: list[tuple[int, int, int, bool]]) -> None:
    """Run (token, position, sequence, wants logits) rows through the model."""
    b = L.llama_batch_init(len(rows), 0, 1)
    b.n_tokens = len(rows)
    for i, (tok, pos, seq, logits) in enumerate(rows):
        b.token[i], b.pos[i], b.n_seq_id[i], b.seq_id[i][0], b.logits[i] = tok, pos, 1, seq, logits
    assert L.llama_decode(ctx, b) == 0
    L.llama_synchronize(ctx)
    L.llama_batch_free(b)


def main() -> None:
    a = argparse.ArgumentParser()
    a.add_argument("model")
    a.add_argument("--prompt", type=int, default=512)
    a.add_argument("--generate", type=int, default=32)
    a.add_argument("--streams", default="1")
    a.add_argument("--threads", type=int, default=2)
    a = a.parse_args()

    L.llama_backend_init()
    L.llama_log_set(quiet, None)
    t = time.perf_counter()
    model = L.llama_model_load_from_file(a.model.encode(), L.llama_model_default_params())
    assert model, "llama.cpp could not load the model"
    load = time.perf_counter() - t
    rng = random.Random(1)
    tok = lambda: rng.randrange(100, 100_000)
    out = {"load_s": load, "streams": {}}

    ctx = context(model, a.prompt + a.generate + 64, a.prompt, 1, a.threads)
    rows = [(tok(), i, 0, i == a.prompt - 1) for i in range(a.prompt)]
    decode(ctx, rows)  # warm-up
    L.llama_memory_clear(L.llama_get_memory(ctx), True)
    cpu, wall = time.process_time(), time.perf_counter()
    t = time.perf_counter()
    decode(ctx, rows)
    out["prefill_tok_s"] = a.prompt / (time.perf_counter() - t)
    t = time.perf_counter()
    for i in range(a.generate):
        decode(ctx, [(tok(), a.prompt + i, 0, True)])
    out["decode_tok_s"] = a.generate / (time.perf_counter() - t)
    out["cpu_share"] = (time.process_time() - cpu) / (time.perf_counter() - wall) / a.threads
    L.llama_free(ctx)

    for n in (int(s) for s in a.streams.split(",")):
        short = 64
        ctx = context(model, n * (short + a.generate) + 64, 512, n, a.threads)
        for s in range(n):
            decode(ctx, [(tok(), i, s, i == short - 1) for i in range(short)])
        t = time.perf_counter()
        for i in range(a.generate):
            decode(ctx, [(tok(), short + i, s, True) for s in range(n)])
        out["streams"][str(n)] = {"decode_tok_s": n * a.generate / (time.perf_counter() - t)}
        L.llama_free(ctx)
    out["rss_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(out))


if __name__ == "__main__":
    main()
