"""Trains kindling: `python3 kindling/train.py OUT --steps N`. Run again, it goes on where it was.

The rate of learning warms up, stays, and falls to nothing over the last `--decay` steps. The state
before it falls is kept as `stable.pt`, so that a later run can go on from there with more steps.
"""

import argparse
import json
import math
import multiprocessing as mp
import os
import random
import re
import time
from pathlib import Path

# PyTorch's threads would take time from those that find gradients; it looks at this when it is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

import conversation
from gradients import Gradients
from model import Kindling, Shape, export, load, saved_shape, shape_of

HERE = Path(__file__).parent
# What a model has not been trained to read, it cannot.
LONGEST = Shape.context
# Examples that are drawn at once and put into batches by length.
POOL = 512
# Behind this a value begins. Where it or an answer begins, it is decided which; what follows is mere copying.
VALUE = re.compile(r'": "?')
DECIDES = 4
# The share of other tokens that are learned as well, and what each counts.
OTHER_SHARE, OTHER_WEIGHT = 0.12, 0.15


def encoded(tokenizer, example):
    """Token ids, and what it counts that the model writes each: nothing, where others wrote it."""
    ids, ours = [], []
    for text, written in conversation.pieces(example):
        made = tokenizer.encode(text, add_special_tokens=False)
        ids += made.ids
        if not written:
            ours += [0] * len(made.ids)
            continue
        begins = {0, *(value.end() for value in VALUE.finditer(text))}
        ours += [DECIDES if any(a <= b < e for b in begins) else 1 for a, e in made.offsets]
    return ids[: LONGEST + 1], ours[: LONGEST + 1]


def longest(round_):
    """Tokens of an example at most: copying is learned from short ones first, and much faster."""
    return min(LONGEST, 96 + 4 * round_)


def echo(round_):
    """The share of examples that are mere copying."""
    return max(0.03, 0.5 - round_ / 60)


def batches(tokenizer, round_, tokens, joined):
    """The batches of one round, `tokens` in each: examples of about the same length, with padding, or `joined` without."""
    drawn, number, most = [], 0, longest(round_)
    while len(drawn) < POOL:
        ids, ours = encoded(tokenizer, conversation.draw(f"{round_}.{number}", "train", echo(round_)))
        number += 1
        if any(ours[1:]) and len(ids) <= most:
            drawn.append((ids, ours))
    rng = random.Random(f"order {round_}")
    if not joined:
        drawn.sort(key=lambda e: len(e[0]))
    made, batch, total = [], [], 0
    for example in drawn:
        total = total + len(example[0]) if joined else (len(batch) + 1) * len(example[0])
        if batch and total > tokens:
            made.append(batch)
            batch, total = [], len(example[0])
        batch.append(example)
    made.append(batch)
    rng.shuffle(made)
    return [(behind_each_other if joined else padded)(b, rng) for b in made]


def counts(ours, rng):
    """What each target counts."""
    return [float(o) or OTHER_WEIGHT * (rng.random() < OTHER_SHARE) for o in ours[1:]]


def padded(batch, rng):
    """Inputs, targets and the weight of each target."""
    n = max(len(ids) for ids, _ in batch) - 1
    n += -n % 16
    inputs, targets, weights = (torch.zeros(len(batch), n, dtype=t) for t in (torch.long, torch.long, torch.float))
    for row, (ids, ours) in enumerate(batch):
        m = len(ids) - 1
        inputs[row, :m] = torch.tensor(ids[:-1])
        targets[row, :m] = torch.tensor(ids[1:])
        weights[row, :m] = torch.tensor(counts(ours, rng))
    return inputs, targets, weights


def behind_each_other(batch, rng):
    """Inputs, targets and their weights without padding, and where each example ends."""
    inputs = torch.tensor([i for ids, _ in batch for i in ids[:-1]], dtype=torch.uint16)
    targets = torch.tensor([i for ids, _ in batch for i in ids[1:]], dtype=torch.uint16)
    weights = torch.tensor([c for _, ours in batch for c in counts(ours, rng)])
    return inputs, targets, weights, torch.tensor([len(ids) - 1 for ids, _ in batch]).cumsum(0)


def feeder(path, round_, tokens, joined, queue, parts):
    """Draws every so many rounds, in a process of its own."""
    torch.set_num_threads(1)
    tokenizer = Tokenizer.from_file(path)
    while True:
        queue.put([tuple(t.numpy() for t in b) for b in batches(tokenizer, round_, tokens, joined)])
        round_ += parts


def cross(hidden, words, targets):
    logits = F.linear(hidden, words).float()
    return logits.logsumexp(-1) - logits.gather(1, targets[:, None]).squeeze(1)


class ByTorch:
    """Finds gradients on a GPU; on a processor `Gradients` does."""

    def __init__(self, model):
        self.model, self.forward, self.cross = model, torch.compile(model, dynamic=True), torch.compile(cross, dynamic=True)

    def of(self, batch):
        """Puts the gradients of a batch into the model; returns its loss."""
        words = self.model.embed_tokens.weight
        inputs, targets, weights = (x.to(words.device) for x in batch)
        with torch.autocast(inputs.device.type, torch.bfloat16):
            hidden = self.forward(inputs)
            wanted = weights.view(-1).nonzero().squeeze(1)
            each = self.cross(hidden.view(-1, hidden.shape[-1]).index_select(0, wanted), words, targets.view(-1)[wanted])
        w = weights.view(-1)[wanted]
        loss = (each * w).sum() / w.sum()
        self.model.zero_grad()
        loss.backward()
        return float(loss.detach())


@torch.no_grad()
def judged(model, tokenizer, device, count):
    """The share of validation answers whose every token the model would have written, by task."""
    model.eval()
    right = {}
    for task in conversation.MIX:
        hits = []
        for i in range(count):
            rng = random.Random(f"valid {task} {i}")
            ids, ours = encoded(tokenizer, conversation.of_task(task, rng, ("en", "de")[i % 2], "valid"))
            with torch.autocast(device, torch.bfloat16):
                logits = model.logits(model(torch.tensor([ids[:-1]], device=device)))[0]
            wrong = [o and int(p) != t for o, p, t in zip(ours[1:], logits.argmax(-1), ids[1:])]
            hits.append(not any(wrong))
        right[task] = round(sum(hits) / len(hits), 3)
    model.train()
    return right


def rate(step, steps, warm, decay):
    return min(1.0, (step + 1) / warm, max(0.0, (steps - step) / decay))


class Muon(torch.optim.Muon):
    """PyTorch's, but for matrices of one shape at once: the same steps in half the time."""

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            alike = {}
            for p in group["params"]:
                alike.setdefault(p.shape, []).append(p)
            for matrices in alike.values():
                self.step_of(matrices, group)

    def step_of(self, matrices, group):
        grads = torch.stack([p.grad for p in matrices])
        for p in matrices:
            self.state[p].setdefault("momentum_buffer", torch.zeros_like(p))
        momenta = torch.stack([self.state[p]["momentum_buffer"] for p in matrices])
        momenta.lerp_(grads, 1 - group["momentum"])
        x = orthogonal(grads.lerp(momenta, group["momentum"]), group)
        rows, columns = matrices[0].shape
        step = group["lr"] * math.sqrt(max(1, rows / columns))
        for p, momentum, x in zip(matrices, momenta, x):
            self.state[p]["momentum_buffer"].copy_(momentum)
            p.mul_(1 - group["lr"] * group["weight_decay"]).add_(x, alpha=-step)


def orthogonal(x, group):
    """About the nearest matrices whose singular values are all one."""
    if tall := x.shape[1] > x.shape[2]:
        x = x.mT
    x = x.bfloat16()
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=group["eps"])
    a, b, c = group["ns_coefficients"]
    for _ in range(group["ns_steps"]):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


def optimizers(model, lr, muon_lr):
    """Muon for the matrices, Adam for embeddings and norms."""
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    rest = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    return [
        Muon(matrices, lr=muon_lr, weight_decay=0.02, momentum=0.95),
        torch.optim.AdamW(rest, lr=lr, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def save(path, model, made, at):
    state = {"model": model.state_dict(), "optimizers": [o.state_dict() for o in made], "shape": saved_shape(model.s), **at}
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.rename(path)


def arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("out", type=Path)
    p.add_argument("--steps", type=int, required=True)
    p.add_argument("--decay", type=int, default=1000)
    p.add_argument("--warm", type=int, default=200)
    p.add_argument("--tokens", type=int, default=8192, help="tokens of a batch, padding included")
    p.add_argument("--lr", type=float, default=3e-3)
    p.add_argument("--muon-lr", type=float, default=0.02)
    p.add_argument("--minutes", type=float, default=1e9, help="stop and save after so long")
    p.add_argument("--judge", type=int, default=500, help="steps between validations")
    p.add_argument("--feeders", type=int, default=1)
    p.add_argument("--threads", type=int, default=os.cpu_count(), help="threads that find gradients, where there is no GPU")
    p.add_argument("--begin", type=Path, help="a GGUF file whose weights a new run begins with")
    p.add_argument("--round", type=int, default=0, help="where a new run begins to draw: other examples than an earlier one's")
    for name, value in saved_shape(Shape()).items():
        p.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=None)
    return p.parse_args()


def main():
    a = arguments()
    a.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = Tokenizer.from_file(str(HERE / "tokenizer.json"))
    last = a.out / "last.pt"
    state = torch.load(last, map_location=device) if last.exists() else None
    asked = {k: v for k in saved_shape(Shape()) if (v := getattr(a, k)) is not None}
    shape = shape_of(state["shape"]) if state else Shape(**{"vocabulary": tokenizer.get_vocab_size(), **asked})
    model = Kindling(shape).to(device)
    if a.begin and not state:
        load(model, a.begin, tokenizer)
    made = optimizers(model, a.lr, a.muon_lr)
    # `round` is the next one to draw; of the one before it, `left` batches are still to come.
    at = {"step": 0, "seen": 0, "round": a.round, "left": 0}
    if state:
        model.load_state_dict(state["model"])
        for optimizer, saved in zip(made, state["optimizers"]):
            optimizer.load_state_dict(saved)
        at = {k: state[k] for k in at}
    peak = [a.muon_lr, a.lr]
    torch.set_num_threads(a.threads)
    learner = Gradients(model, a.threads) if device == "cpu" else ByTorch(model)
    context, queues = mp.get_context("spawn"), []
    first = at["round"] - (at["left"] > 0)
    for part in range(a.feeders):
        queues.append(context.Queue(2))
        args = (str(HERE / "tokenizer.json"), first + part, a.tokens, device == "cpu", queues[-1], a.feeders)
        context.Process(target=feeder, args=args, daemon=True).start()
    log = (a.out / "log.jsonl").open("a")
    begun, told, since, losses, waiting = time.time(), time.time(), at["seen"], [], []
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{parameters / 1e6:.2f} M parameters on {device}, from step {at['step']}", flush=True)
    if at["left"]:
        waiting = queues[0].get()[: at["left"]]
    while at["step"] < a.steps and time.time() - begun < 60 * a.minutes:
        if not waiting:
            waiting = queues[(at["round"] - first) % a.feeders].get()
            at["round"] += 1
        if at["step"] == a.steps - a.decay:
            save(a.out / "stable.pt", model, made, {**at, "left": len(waiting)})
        batch = [torch.from_numpy(x) for x in waiting.pop()]
        for optimizer, top in zip(made, peak):
            for group in optimizer.param_groups:
                group["lr"] = top * rate(at["step"], a.steps, a.warm, a.decay)
        losses.append(learner.of(batch))
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in made:
            optimizer.step()
        at = {**at, "step": at["step"] + 1, "seen": at["seen"] + batch[0].numel(), "left": len(waiting)}
        if not math.isfinite(losses[-1]):
            raise SystemExit(f"step {at['step']}: the loss is {losses[-1]}")
        if at["step"] % 50 == 0:
            speed = (at["seen"] - since) / (time.time() - told)
            entry = {"step": at["step"], "seen": at["seen"], "loss": round(sum(losses) / len(losses), 4), "tokens_per_s": int(speed), "minutes": round((time.time() - begun) / 60, 1)}
            if at["step"] % a.judge == 0:
                entry["right"] = judged(model, tokenizer, device, 60)
            print(json.dumps(entry), flush=True)
            log.write(json.dumps(entry) + "\n")
            log.flush()
            losses, told, since = [], time.time(), at["seen"]
        if at["step"] % 500 == 0:
            save(last, model, made, at)
    save(last, model, made, at)
    export(model, tokenizer, a.out / "model", (HERE / "chat_template.jinja").read_text())
    print(f"wrote {a.out / 'model'}", flush=True)


if __name__ == "__main__":
    main()
