"""Copying and nothing else: from this the model learns early to find a place in the text and to go on from there."""

import passage
import slots


def words(rng, lang, split):
    kinds = ("word", "word", "last", "id", "city", "thing", "money", "first", "product", "number")
    return [slots.value(rng, rng.choice(kinds), lang, split) for _ in range(rng.randint(4, 14))]


def make(rng, lang, split):
    items = list(dict.fromkeys(words(rng, lang, split)))
    joint = rng.choice((" ", ", ", "\n", "; "))
    r = rng.random()
    if r < 0.4:
        # What stands behind a word.
        text, pairs = joint.join(items), []
        for i in rng.sample(range(len(items) - 1), min(4, len(items) - 1)):
            pairs.append(({"en": "After {}?", "de": "Nach {}?"}[lang].format(items[i]), items[i + 1]))
    elif r < 0.8:
        # What belongs to a name.
        names = [slots.value(rng, rng.choice(("word", "last", "thing", "city")), lang, split) for _ in items]
        belongs = dict(zip(names, items))
        mark = rng.choice((": ", " = ", " - ", "\t"))
        text = rng.choice(("\n", ", ", "; ")).join(f"{k}{mark}{v}" for k, v in belongs.items())
        pairs = rng.sample(sorted(belongs.items()), min(5, len(belongs)))
    else:
        text = joint.join(items)
        pairs = [({"en": "All of it.", "de": "Alles."}[lang], text)]
    return {"task": "echo", "lang": lang, "messages": passage.conversation(text, pairs)}
