"""The README's examples, as they are printed there."""

import contextlib
import io
import os
import re
from pathlib import Path

from harness import Ctx, case, check

README = Path(__file__).resolve().parents[2] / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.M | re.S)


def example(ctx: Ctx, block: str) -> str:
    """Runs a block with nothing changed but the address, the key and the model's name."""
    check("http://127.0.0.1:11435" in block, "the example names no address")
    code = block.replace("http://127.0.0.1:11435", ctx.base).replace('"none"', repr(ctx.key))
    code = code.replace('"model"', repr(ctx.model)).replace('"openai/model"', repr("openai/" + ctx.model))
    os.environ["OLLAMA_API_KEY"] = ctx.key
    printed = io.StringIO()
    try:
        # Examples without a seed may draw an empty answer, from weights that are random.
        for _ in range(3):
            with contextlib.redirect_stdout(printed):
                exec(compile(code, "README.md", "exec"), {})
            if printed.getvalue().strip():
                break
    finally:
        del os.environ["OLLAMA_API_KEY"]
    check(printed.getvalue().strip(), "the example prints nothing")
    return f"{len(printed.getvalue())} characters"


def register(block: str) -> None:
    client = re.search(r"^from (\w+) import", block, re.M)[1]
    run = lambda ctx: example(ctx, block)
    run.__module__, run.__doc__ = __name__, f"The example for {client} works as it is printed."
    case(run, needs=[client], name=client)


for block in BLOCKS:
    register(block)


@case
def all_clients_have_one(ctx: Ctx):
    """There is an example for each client that is promised."""
    text = "".join(BLOCKS)
    for client in ("openai", "anthropic", "ollama", "langchain_openai", "litellm"):
        check(f"from {client} import" in text, f"no example for {client}")
