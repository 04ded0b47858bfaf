"""Says what is wrong with fact files: `python3 kindling/check_facts.py [FILE...]`."""

import sys
from pathlib import Path

import facts

paths = [Path(p) for p in sys.argv[1:]] or sorted((facts.HERE / "facts").glob("*.txt"))
wrong = 0
for path in paths:
    file = facts.File(path)
    for fault in file.faults:
        print(fault)
    wrong += len(file.faults)
    says = sum(len(b.say) for b in file.blocks)
    asks = sum(len(a) for b in file.blocks for a in b.ask.values())
    print(f"{path.name}: {len(file.blocks)} kinds of facts, {says} ways to say them, {asks} questions, {len(file.fillers)} fillers")
sys.exit(1 if wrong else 0)
