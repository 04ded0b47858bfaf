#!/usr/bin/env python3
"""hearth serve and llama.cpp's Python server on the same model file, in turn, under the same load; prints ratios.

    peer/bin/python bench/serve_versus.py MODEL.gguf [--clients 16] [--requests 64] [--words 200] [--tokens 64] [--rounds 3]

Each client streams one chat completion after another. Of hearth it is also told which share of its processor time is not
the model's: what HTTP, JSON and sampling in its own threads cost. With --alone only hearth is measured, and
with --hangup and --seconds it is kept busy for long: its memory is told as it grows, or does not.

The peer needs: pip install httpx fastapi uvicorn sse-starlette starlette-context pydantic-settings
"""

import argparse
import asyncio
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx

WORDS = "river stone invoice letter window garden table number street winter paper market bridge engine yellow quiet".split()


def quantile(values: list[float], q: float) -> float:
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))] if values else float("nan")


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A server that has been started and answers."""

    def __init__(self, command: list[str], port: int, model: str):
        self.base, self.model = f"http://127.0.0.1:{port}", model
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                if httpx.get(f"{self.base}/v1/models", timeout=5).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.2)
        sys.exit(f"{command[0]} does not answer")

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()

    def resident_mib(self) -> float:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def thread_times(self) -> Counter:
        """Processor time by name of thread, in ticks."""
        times = Counter()
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            name, rest = (task / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
            fields = rest.split()
            times[name] += int(fields[11]) + int(fields[12])
        return times


class Load:
    def __init__(self, a: argparse.Namespace, server: Server):
        self.a, self.server = a, server
        self.left, self.end = a.requests, time.monotonic() + a.seconds
        self.first, self.tokens, self.outcomes = [], 0, Counter()

    async def one(self, http: httpx.AsyncClient, rng: random.Random) -> None:
        a = self.a
        prompt = " ".join(rng.choices(WORDS, k=a.words))
        body = {"model": self.server.model, "stream": True, "max_tokens": a.tokens, "temperature": 0.7,
                "seed": rng.randrange(1 << 30), "messages": [{"role": "user", "content": prompt}]}
        stay = rng.randrange(1, a.tokens) if rng.random() < a.hangup else 1 << 30
        asked, pieces = time.monotonic(), 0
        async with http.stream("POST", "/v1/chat/completions", json=body) as r:
            if r.status_code != 200:
                self.outcomes[f"http {r.status_code}"] += 1
                return
            async for line in r.aiter_lines():
                if not line.startswith("data:") or line.endswith("[DONE]"):
                    continue
                if not pieces:
                    self.first.append(time.monotonic() - asked)
                pieces += 1
                if pieces >= stay:
                    self.outcomes["hung up"] += 1
                    return
        # One piece says the role, one the end.
        self.tokens += pieces - 2
        self.outcomes["done"] += 1

    async def client(self, n: int) -> None:
        rng = random.Random(f"{self.a.seed} {n}")
        async with httpx.AsyncClient(base_url=self.server.base, timeout=1200) as http:
            while self.left > 0 and time.monotonic() < self.end:
                self.left -= 1
                try:
                    await self.one(http, rng)
                except httpx.HTTPError as error:
                    self.outcomes[type(error).__name__] += 1

    async def watch(self, begun: float) -> None:
        while True:
            await asyncio.sleep(60)
            print(f"  {time.monotonic() - begun:5.0f} s  {self.server.resident_mib():7.0f} MiB", flush=True)

    async def all(self) -> float:
        begun = time.monotonic()
        watch = asyncio.create_task(self.watch(begun))
        await asyncio.gather(*(self.client(n) for n in range(self.a.clients)))
        watch.cancel()
        return time.monotonic() - begun


def measure(a: argparse.Namespace, server: Server) -> dict:
    asyncio.run(Load(argparse.Namespace(**{**vars(a), "requests": a.clients}), server).all())  # to warm up
    before, load = server.thread_times(), Load(a, server)
    seconds = asyncio.run(load.all())
    times = server.thread_times() - before
    # The model's thread and those that compute for it; the rest are tokio's.
    model = sum(ticks for name, ticks in times.items() if name == "model" or name.startswith("crew"))
    return {"tokens_per_s": load.tokens / seconds, "ttft_p50_s": quantile(load.first, 0.5),
            "ttft_p95_s": quantile(load.first, 0.95), "outcomes": dict(load.outcomes), "threads": dict(times),
            "share_beside_model": 1 - model / max(1, sum(times.values())), "resident_mib": server.resident_mib()}


def start(a: argparse.Namespace, name: str) -> Server:
    port = free_port()
    if name == "hearth":
        cache = ["--cache", str(a.cache)] if a.cache else []
        return Server([a.hearth, "serve", f"m={a.model}", "--port", str(port), "--threads", str(a.threads), *cache], port, "m")
    flags = ["--model", a.model, "--model_alias", "m", "--port", str(port), "--n_threads", str(a.threads), "--n_threads_batch",
             str(a.threads), "--n_ctx", "4096", "--interrupt_requests", "False"]
    return Server([sys.executable, "-m", "llama_cpp.server", *flags], port, "m")


def main() -> None:
    a = argparse.ArgumentParser()
    a.add_argument("model")
    a.add_argument("--hearth", default="target/release/hearth")
    a.add_argument("--clients", type=int, default=16)
    a.add_argument("--requests", type=int, default=64)
    a.add_argument("--words", type=int, default=200)
    a.add_argument("--tokens", type=int, default=64)
    a.add_argument("--threads", type=int, default=2)
    a.add_argument("--rounds", type=int, default=3)
    a.add_argument("--hangup", type=float, default=0.0, help="share of requests whose client goes away")
    a.add_argument("--seconds", type=float, default=3600)
    a.add_argument("--cache", type=float, help="GiB that hearth may keep of conversations")
    a.add_argument("--alone", action="store_true")
    a.add_argument("--json")
    a = a.parse_args()
    rounds = []
    for a.seed in range(a.rounds):
        row = {}
        for name in ["hearth"] if a.alone else ["hearth", "llama.cpp"]:
            server = start(a, name)
            try:
                row[name] = measure(a, server)
                if name == "hearth":
                    time.sleep(1)
                    page = httpx.get(f"{server.base}/metrics").text.splitlines()
                    print(*[line for line in page if line.startswith(("vllm:num_", "hearth_kept"))], sep="\n")
                    httpx.post(f"{server.base}/api/generate", json={"model": "m", "keep_alive": 0}, timeout=60)
                    time.sleep(3)
                    print(f"  unloaded: {server.resident_mib():.0f} MiB")
            finally:
                server.end()
            print(name, json.dumps(row[name]), flush=True)
        rounds.append(row)
    if not a.alone:
        for key in ("tokens_per_s", "ttft_p95_s"):
            ratios = [row["hearth"][key] / row["llama.cpp"][key] for row in rounds]
            print(f"{key:14} {statistics.median(ratios):.2f}  ({', '.join(f'{x:.2f}' for x in ratios)})")
    if a.json:
        Path(a.json).write_text(json.dumps(rounds, indent=1) + "\n")


if __name__ == "__main__":
    main()
