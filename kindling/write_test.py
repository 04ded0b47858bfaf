"""Writes the test split as the cases that `cargo xtask kindling-eval` reads: `python3 kindling/write_test.py`."""

import json
import random
import re
from pathlib import Path

import conversation
import passage

COUNTS = {"passage": 400, "extract": 160, "classify": 240, "tools": 160}
OUT = Path(__file__).parent / "test" / "cases.jsonl"


def after(text, mark):
    return text.split(mark, 1)[1]


def ask(user, answer):
    text, question = after(user, "Text:\n").rsplit("\n\nQuestion: ", 1)
    return {"task": "ask", "text": text, "question": question, "answers": [] if answer == passage.ABSENT else [answer]}


def kind(text):
    """The schema that a field's type stands for."""
    if text.startswith("one of "):
        return {"enum": [*json.loads(f"[{after(text, 'one of ')}]"), None]}
    if text.startswith("list of {"):
        fields = re.findall(r'("(?:[^"\\]|\\.)*"): (\w+)', text)
        properties = {json.loads(name): kind(t) for name, t in fields}
        item = {"type": "object", "properties": properties, "required": list(properties)}
        return {"type": ["array", "null"], "items": item}
    if text.startswith("list of "):
        return {"type": ["array", "null"], "items": {"type": after(text, "list of ")}}
    if text == "date":
        return {"type": ["string", "null"], "format": "date"}
    return {"type": [text, "null"]}


FIELD = re.compile(r"- ([^:]+): (one of (?:\"(?:[^\"\\]|\\.)*\"(?:, )?)+|list of \{.*?\}|list of \w+|\w+)(?:, (.*))?")


def extract(user, answer):
    fields, text = after(user, "Fields:\n").split("\n\nText:\n", 1)
    schema = {"type": "object", "properties": {}, "required": []}
    for line in fields.split("\n"):
        name, type_, about = FIELD.fullmatch(line).groups()
        field = kind(type_.removesuffix(", "))
        if about:
            field["description"] = about
        *parents, last = name.split(".")
        inside = schema
        for parent in parents:
            if parent not in inside["properties"]:
                inside["properties"][parent] = {"type": "object", "properties": {}, "required": []}
                inside["required"].append(parent)
            inside = inside["properties"][parent]
        inside["properties"][last] = field
        inside["required"].append(last)
    return {"task": "extract", "schema": schema, "text": text, "expected": json.loads(answer)}


def classify(user, answer):
    labels, message = after(user, "meaning:\n").split("\n\nMessage:\n", 1)
    pairs = (line[2:].rpartition(": ") for line in labels.split("\n"))
    return {"task": "classify", "labels": {name: meaning for meaning, _, name in pairs}, "message": message, "expected": answer}


def case(task, number):
    lang = ("en", "de")[number % 2]
    example = conversation.of_task(task, random.Random(f"test {task} {number}"), lang, "test")
    user, said = example["messages"]
    if task == "tools":
        calls = said.get("tool_calls")
        expected = calls[0]["function"] if calls else None
        made = {"task": "tool", "tools": example["tools"], "request": user["content"], "expected": expected}
    else:
        made = {"passage": ask, "extract": extract, "classify": classify}[task](user["content"], said["content"])
        if number % 10 == 0:
            # What the program is to send for it, so that it and the training cannot drift apart.
            made["prompt"] = user["content"]
    return {**made, "lang": lang}


if __name__ == "__main__":
    OUT.parent.mkdir(exist_ok=True)
    with OUT.open("w", encoding="utf-8") as out:
        for task, count in COUNTS.items():
            for number in range(count):
                out.write(json.dumps(case(task, number), ensure_ascii=False) + "\n")
    print(f"{OUT}: {OUT.stat().st_size} bytes")
