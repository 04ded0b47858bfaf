"""Reads `facts/*.txt`: kinds of facts, the ways to state them, and questions about them.

A file consists of `filler` lines and blocks: `[name]`, `slot NAME KIND` (or `[one|another]` instead of
a kind), `say TEXT` with `{NAME}` in it, `ask NAME QUESTION`. The last line of each list is for the
test split, the one before it for validation; a file with a line `only train` is for training.
"""

import re
from pathlib import Path

import slots

HERE = Path(__file__).parent
SLOT = re.compile(r"\{(\w+)\}")
SPLITS = ("train", "valid", "test")


class Block:
    def __init__(self, name, at, file):
        self.name, self.at, self.file = name, at, file
        self.kinds, self.inline, self.say, self.ask = {}, {}, [], {}

    def value(self, rng, slot, lang, split):
        if slot in self.inline:
            return rng.choice(slots.part(self.inline[slot], split))
        return slots.value(rng, self.kinds[slot], lang, split)

    def says(self, split):
        return self.part(self.say, split)

    def asks(self, slot, split):
        return self.part(self.ask[slot], split)

    def part(self, lines, split):
        return lines if self.file.only_train else cut(lines, split)

    def faults(self):
        """What is wrong with it, in words."""
        if len(self.say) < 3:
            yield f"{len(self.say)} ways to say it"
        if not self.ask:
            yield "no question"
        known = set(self.kinds) | set(self.inline)
        for slot, asks in self.ask.items():
            if slot not in known:
                yield f"asks for {slot}, which is no slot"
            if len(asks) < 3:
                yield f"{len(asks)} questions for {slot}"
        inside = {s for asks in self.ask.values() for ask in asks for s in SLOT.findall(ask)}
        for slot, asks in self.ask.items():
            for ask in asks:
                if slot in SLOT.findall(ask):
                    yield f"a question gives its own answer away: {ask}"
        for say in self.say:
            there = set(SLOT.findall(say))
            for slot in sorted(there - known):
                yield f"{slot} is no slot: {say}"
            for slot in sorted((inside | set(self.ask)) - there):
                yield f"lacks {{{slot}}}: {say}"
        for slot in sorted(inside - known):
            yield f"a question has {{{slot}}}, which is no slot"
        for slot, kind in self.kinds.items():
            if kind not in slots.KINDS:
                yield f"{slot}: no such kind as {kind}"
        for slot, values in self.inline.items():
            if len(values) != len(set(values)) or any(not v.strip() for v in values):
                yield f"{slot}: a value twice, or an empty one"


def cut(lines, split):
    if len(lines) < 3:
        return lines
    return {"train": lines[:-2], "valid": lines[-2:-1], "test": lines[-1:]}[split]


class File:
    def __init__(self, path):
        self.name, self.lang = path.stem, path.stem.split("_")[0]
        self.fillers, self.blocks, self.faults, self.only_train = [], [], [], False
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            at = f"{path.name}:{number}"
            if line.startswith("["):
                self.blocks.append(Block(line.strip("[]"), at, self))
                continue
            word, _, rest = line.partition(" ")
            rest = rest.strip()
            if (word, rest) == ("only", "train"):
                self.only_train = True
                continue
            if word == "filler":
                self.fillers.append(rest)
                continue
            try:
                self.add(self.blocks[-1], word, rest)
            except (IndexError, ValueError):
                self.faults.append(f"{at}: cannot be read: {line}")
        for block in self.blocks:
            self.faults.extend(f"{block.at} [{block.name}]: {fault}" for fault in block.faults())

    @staticmethod
    def add(block, word, rest):
        if word == "say":
            block.say.append(rest)
            return
        name, rest = rest.split(None, 1)
        if word == "ask":
            block.ask.setdefault(name, []).append(rest)
        elif word == "slot" and rest.startswith("["):
            if not rest.endswith("]"):
                raise ValueError(rest)
            block.inline[name] = [v.strip() for v in rest[1:-1].split("|")]
        elif word == "slot":
            block.kinds[name] = rest
        else:
            raise ValueError(word)


def load(lang=None):
    """All files whose every block can be used; others are left out with a word on stderr."""
    files = [File(path) for path in sorted((HERE / "facts").glob("*.txt"))]
    for file in files:
        file.blocks = [b for b in file.blocks if not any(b.faults())]
    return [f for f in files if f.blocks and (lang is None or f.lang == lang)]
