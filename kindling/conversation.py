"""What the model reads and writes: conversations as text, and the mix of tasks they are drawn from."""

import importlib
import json
import random

START, END = "<|im_start|>", "<|im_end|>"
CALL, CALLED = "<tool_call>", "</tool_call>"
MARKS = ["<|endoftext|>", START, END, CALL, CALLED]

# How often each task is drawn in training.
MIX = {"passage": 65, "extract": 16, "classify": 11, "tools": 7, "chat": 2}


def kind(schema):
    if "enum" in schema:
        return " | ".join(json.dumps(v, ensure_ascii=False) for v in schema["enum"])
    return schema.get("type", "any")


def signature(tool):
    """A tool in one line, as chat_template.jinja writes it: its name behind what it is for, as labels are."""
    function = tool["function"]
    parameters = function.get("parameters", {})
    required = parameters.get("required", [])
    fields = parameters.get("properties", {}).items()
    arguments = ", ".join(f"{name}{'' if name in required else '?'}: {kind(schema)}" for name, schema in fields)
    meaning = function.get("description")
    return f"- {f'{meaning}: ' if meaning else ''}{function['name']}({arguments})\n"


def said(message):
    calls = message.get("tool_calls")
    if not calls:
        return message["content"]
    lines = []
    for call in calls:
        f = call["function"]
        arguments = json.dumps(f["arguments"], ensure_ascii=False)
        lines.append(f'{CALL}\n{{"name": {json.dumps(f["name"])}, "arguments": {arguments}}}\n{CALLED}')
    return "\n".join(lines)


def pieces(example):
    """The text in pieces, each with whether the model is to have written it."""
    if example.get("tools"):
        yield f"{START}system\nTools:\n{''.join(map(signature, example['tools']))}{END}\n", False
    for message in example["messages"]:
        if message["role"] == "assistant":
            yield f"{START}assistant\n", False
            yield f"{said(message)}{END}", True
            yield "\n", False
        else:
            yield f"{START}{message['role']}\n{message['content']}{END}\n", False


def draw(seed, split, echo=0.0):
    """The example of this seed; a share of them are mere copying."""
    rng = random.Random(f"{split} {seed}")
    task = "echo" if rng.random() < echo else rng.choices(list(MIX), list(MIX.values()))[0]
    lang = rng.choice(("en", "de"))
    return of_task(task, rng, lang, split)


def of_task(task, rng, lang, split):
    return importlib.import_module(task).make(rng, lang, split)
