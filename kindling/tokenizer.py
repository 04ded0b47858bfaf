"""Trains the tokenizer on generated text: byte-level pairs, digits one by one."""

import sys
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

import conversation

SIZE = 5120
# That of Qwen2, which GGUF names "qwen2".
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
EXAMPLES = 30_000


def train():
    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(PATTERN), behavior="isolated")
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, bytes_])
    tokenizer.decoder = decoders.ByteLevel()
    texts = ("".join(t for t, _ in conversation.pieces(conversation.draw(-1 - i, "train"))) for i in range(EXAMPLES))
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE,
        special_tokens=conversation.MARKS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=16,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


if __name__ == "__main__":
    out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "tokenizer.json")
    train().save(str(out))
    print(f"{out}: {out.stat().st_size} bytes")
