#!/usr/bin/env python3
"""Makes the model that the clients are tried with, out of a tiny one: longer in context, with a template that knows
tools, and with a voice of printable characters, so that stop strings can be taken out of what it says.

    make_model.py SOURCE OUT
"""

import json
import shutil
import struct
import sys
from pathlib import Path

CONTEXT = 16384
EMBEDDINGS = "model.embed_tokens.weight"
TEMPLATE = """\
{%- if tools %}{{ 'system: You may call tools by <tool_call>{"name": …, "arguments": …}</tool_call>.\\n' }}
{%- for tool in tools %}{{ tool | tojson + '\\n' }}{% endfor %}{% endif %}
{%- for message in messages %}{{ message.role + ': ' + message.content + '\\n' }}
{%- for call in message.tool_calls or [] %}{{ 'call: ' + call.function | tojson + '\\n' }}{% endfor %}
{%- endfor %}
{%- if add_generation_prompt %}{{ 'assistant:' }}{% endif %}"""


def main(source: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "generation_config.json"):
        shutil.copyfile(source / name, out / name)
    change(source, out, "config.json", max_position_embeddings=CONTEXT)
    change(source, out, "tokenizer_config.json", chat_template=TEMPLATE, model_max_length=CONTEXT)
    vocabulary = json.loads((source / "tokenizer.json").read_text())["model"]["vocab"]
    silent = [token for text, token in vocabulary.items() if not (text.isascii() and text.isprintable())]
    # Written last: it is what tells that the folder is whole.
    (out / "model.safetensors").write_bytes(silenced((source / "model.safetensors").read_bytes(), silent))


def change(source: Path, out: Path, name: str, **values) -> None:
    config = json.loads((source / name).read_text())
    (out / name).write_text(json.dumps({**config, **values}, indent=1))


def silenced(data: bytes, tokens: list[int]) -> bytes:
    """The weights with nothing in the rows of these tokens, whose logits then never stand out."""
    data = bytearray(data)
    begin = 8 + struct.unpack("<Q", data[:8])[0]
    tensor = json.loads(data[8:begin])[EMBEDDINGS]
    first, last = tensor["data_offsets"]
    row = (last - first) // tensor["shape"][0]
    for token in tokens:
        at = begin + first + token * row
        data[at : at + row] = bytes(row)
    return bytes(data)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
