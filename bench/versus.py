#!/usr/bin/env python3
"""hearth and llama.cpp on the same model file, in turn, in one run; prints ratios.

    peer/bin/python bench/versus.py MODEL.gguf [--hearth target/release/hearth] [--rounds 3] [--json OUT]

The machine's speed drifts, so only the ratio of neighbouring runs is quoted (its median). A round
in which llama.cpp was disturbed (cpu_share < 0.95) would flatter us and is thrown away.
`--isa NAME` and `--kv FORMAT` are handed on to hearth, which keeps whole numbers for quantised weights
without; llama.cpp keeps keys and values as f16.
"""
import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path


def run(cmd: list[str]) -> dict:
    p = subprocess.run(cmd, capture_output=True, text=True)
    if p.returncode:
        sys.exit(f"{' '.join(cmd)}\n{p.stderr[-2000:]}")
    return json.loads(p.stdout.strip().splitlines()[-1])


def main() -> None:
    a = argparse.ArgumentParser()
    a.add_argument("model")
    a.add_argument("--hearth", default="target/release/hearth")
    a.add_argument("--prompt", type=int, default=512)
    a.add_argument("--generate", type=int, default=32)
    a.add_argument("--streams", default="1,8,16")
    a.add_argument("--threads", type=int, default=2)
    a.add_argument("--rounds", type=int, default=3)
    a.add_argument("--isa", help="the instruction set that hearth is to use")
    a.add_argument("--kv", help="how hearth is to keep keys and values")
    a.add_argument("--json")
    a = a.parse_args()
    flags = ["--prompt", str(a.prompt), "--generate", str(a.generate), "--streams", a.streams, "--threads", str(a.threads)]
    peer_cmd = [sys.executable, str(Path(__file__).parent / "peer_llama.py"), a.model, *flags]
    ours_cmd = [a.hearth, "bench", a.model, *flags, "--json", *(["--isa", a.isa] if a.isa else []), *(["--kv", a.kv] if a.kv else [])]

    ours, peer = [], []
    for _ in range(4 * a.rounds):
        o, p = run(ours_cmd), run(peer_cmd)
        if p["cpu_share"] >= 0.95:
            ours.append(o)
            peer.append(p)
        if len(peer) == a.rounds:
            break
    else:
        sys.exit(f"only {len(peer)} of {4 * a.rounds} rounds were undisturbed: run this on a quiet machine")

    def pick(r: dict, key: str) -> float:
        return r["streams"][key[8:]]["decode_tok_s"] if key.startswith("streams.") else r[key]

    keys = ["prefill_tok_s", "decode_tok_s"] + [f"streams.{s}" for s in a.streams.split(",")] + ["load_s", "rss_bytes"]
    report = {}
    print(f"{'':16} {'hearth':>14} {'llama.cpp':>14} {'ratio':>8}   (medians of {a.rounds})")
    for k in keys:
        ratio = statistics.median(pick(o, k) / pick(p, k) for o, p in zip(ours, peer))
        o, p = (statistics.median(pick(r, k) for r in rs) for rs in (ours, peer))
        report[k] = {"hearth": o, "peer": p, "ratio": ratio}
        print(f"{k:16} {o:14.4g} {p:14.4g} {ratio:8.2f}")
    used = statistics.median(o["decode_tok_s"] * o["weight_bytes"] / 1e9 / o["read_gb_s"] for o in ours)
    report["bandwidth_used"] = used
    print(f"decode uses {100 * used:.0f} % of the measured read bandwidth")
    if a.json:
        Path(a.json).write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
