"""Trains the tokenizer on generated text: byte-level pairs, digits one by one.

A quotation begins without the space that stands before it in the text. So words are cut into tokens
as if spaces stood alone, and what is copied has the same tokens wherever it stands. Only the most
frequent words get a twin with a space before it, for a text would be a third longer without them.
"""

import collections
import json
import sys
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

import conversation

SIZE = 5120
TWINS = 1000
# That of Qwen2, which GGUF names "qwen2".
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# As the tokens are learned: letters apart from all that stands before them.
APART = r"\p{L}+|\p{N}| |[^\s\p{L}\p{N}]+|\s*[\r\n]+|\s+(?!\S)|\s+"
EXAMPLES = 30_000
SPACE = "Ġ"
# The pattern parts these from a space before them.
UNPAIRED = "0123456789ĠĊ"


def split_by(pattern):
    split = pre_tokenizers.Split(Regex(pattern), behavior="isolated")
    return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def with_twins(tokenizer, texts):
    """The tokenizer with twins of the most frequent beginnings of words: their merges come last."""
    behind_space = collections.Counter()
    for text in texts:
        tokens = tokenizer.encode(text, add_special_tokens=False).tokens
        behind_space.update(b for a, b in zip(tokens, tokens[1:]) if a == SPACE and b[0] not in UNPAIRED)
    tokenizer.pre_tokenizer = split_by(PATTERN)
    made = json.loads(tokenizer.to_str())
    model = made["model"]
    for word, _ in behind_space.most_common(SIZE - len(model["vocab"])):
        model["vocab"][SPACE + word] = len(model["vocab"])
        model["merges"].append([SPACE, word])
    return Tokenizer.from_str(json.dumps(made))


def train():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = split_by(APART)
    tokenizer.decoder = decoders.ByteLevel()
    texts = ["".join(t for t, _ in conversation.pieces(conversation.draw(-1 - i, "train"))) for i in range(EXAMPLES)]
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE - TWINS,
        special_tokens=conversation.MARKS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=16,
        show_progress=False,
    )
    tokenizer.train_from_iterator(iter(texts), trainer)
    return with_twins(tokenizer, texts)


if __name__ == "__main__":
    out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "tokenizer.json")
    train().save(str(out))
    print(f"{out}: {out.stat().st_size} bytes")
