"""Conversations about a passage: questions answered by quoting it, or with `not in the text`."""

import random

import extract
import facts
import generic
import slots

ABSENT = "not in the text"


def prompt(text, question):
    """The question stands before the text, so that the text is read with it in mind, and after it."""
    return f"Answer with a quotation from the text, or with: {ABSENT}.\n\nQuestion: {question}\n\nText:\n{text}\n\nQuestion: {question}"


FILES = {lang: facts.load(lang) for lang in ("en", "de")}
# Kinds of slots that a passage may be about, so that its sentences share their value.
SHARED = ("org", "person", "city", "product", "thing", "event", "dept", "last", "job", "country")


def fill(template, values):
    text = facts.SLOT.sub(lambda m: values[m.group(1)], template)
    return generic.first_up(text) if template.startswith("{") else text


def bind(rng, block, lang, split, shared, fresh):
    """Values for the slots of a block; those that the passage is about are shared."""
    values = {}
    for slot in list(block.kinds) + list(block.inline):
        kind = block.kinds.get(slot)
        if kind in SHARED and not fresh and kind in shared and shared[kind] not in values.values():
            values[slot] = shared[kind]
            continue
        for _ in range(20):
            values[slot] = block.value(rng, slot, lang, split)
            if list(values.values()).count(values[slot]) == 1:
                break
    return values


def questions(rng, block, lang, split, values):
    """One question for each slot that can be asked for, with its answer."""
    for slot in block.ask:
        ask = rng.choice(block.asks(slot, split))
        yield fill(ask, values), values[slot], [values[s] for s in facts.SLOT.findall(ask)]


# How many facts a text is made of. What is asked is learned from short ones with the fewest tokens.
COUNTS = {split: (1, 2, 3, 3, 4, 4, 5, 6, 7, 8) for split in facts.SPLITS} | {"train": (1, 1, 2, 2, 2, 3, 3, 4, 5, 6)}
# How often each fact of a text for training is asked for, each time in other words.
AGAIN = 3


def of_files(rng, lang, split):
    """Facts of one or two files, questions that they answer, and questions that they do not."""
    files = [file for file in FILES[lang] if split == "train" or not file.only_train]
    files = rng.sample(files, 1 if rng.random() < 0.6 else 2)
    blocks = [b for f in files for b in f.blocks]
    count = min(len(blocks), rng.choice(COUNTS[split]))
    chosen = rng.sample(blocks, count)
    shared = {}
    if rng.random() < 0.7:
        shared = {k: slots.value(rng, k, lang, split) for k in SHARED}
    twice = [rng.choice(chosen)] if rng.random() < 0.35 else []
    seen, stated, asked = {}, [], []
    for block in chosen + twice:
        values = bind(rng, block, lang, split, shared, fresh=block in seen)
        seen.setdefault(block, []).append(values)
        stated.append(fill(rng.choice(block.says(split)), values))
    for block, all_values in seen.items():
        for values in all_values * (AGAIN if split == "train" and count < 5 else 1):
            for question, answer, named in questions(rng, block, lang, split, values):
                # A fact that is stated twice is asked for by what tells the two apart.
                others = [v for v in all_values if v is not values]
                if all(any(n not in other.values() for n in named) for other in others):
                    asked.append((question, answer))
    absent = [b for b in blocks if b not in seen]
    unanswered = []
    for block in rng.sample(absent, min(3, len(absent))):
        values = bind(rng, block, lang, split, shared, fresh=rng.random() < 0.2)
        unanswered += [(q, ABSENT) for q, _, _ in questions(rng, block, lang, split, values)]
    for block, all_values in seen.items():
        other = bind(rng, block, lang, split, {}, fresh=True)
        for question, _, named in questions(rng, block, lang, split, other):
            known = [v.lower() for values in all_values for v in values.values()]
            # Somebody else is asked about, and the passage says nothing of them.
            if named and not any(n.lower() in known for n in named[:1]):
                unanswered.append((question, ABSENT))
    fillers = [x for f in files for x in slots.part(f.fillers, split)]
    return stated, asked, unanswered, fillers


# Questions about a field of a form, by what it is called or by what it is.
BY_NAME = {
    "en": ["What is the {n}?", "{n}?", "Which {n} is given?", "What does it say under {n}?", "Tell me the {n}.", "What {n} is stated?", "I need the {n}.", "{N}", "Find the {n}.", "What's the {n} here?"],
    "de": ["{N}?", "Was steht unter {N}?", "Was ist als {N} angegeben?", "Wie lautet die Angabe {N}?", "{N}", "Ich suche: {N}", "Nenne mir: {N}", "Welche Angabe gibt es zu {N}?", "{N} bitte"],
}
BY_MEANING = {
    "en": ["I am looking for this: {d}", "{D}?", "Please find: {d}", "{d}", "What does it say: {d}?"],
    "de": ["Ich suche Folgendes: {d}", "{D}?", "Bitte heraussuchen: {d}", "{d}", "Was steht da: {d}?"],
}


def about(rng, lang, fact):
    """A question for a fact of a document, if it has a name or a meaning to ask by."""
    meanings = fact.descs[lang == "de"]
    name = rng.choice(fact.labels).rstrip(".#:") if fact.labels else ""
    if meanings and (not name or fact.where or rng.random() < 0.5):
        meaning = rng.choice(meanings)
        return rng.choice(BY_MEANING[lang]).format(d=meaning, D=generic.first_up(meaning))
    small = name if name[1:2].isupper() else name[:1].lower() + name[1:]
    return rng.choice(BY_NAME[lang]).format(n=small, N=name) if name else None


def of_document(rng, lang):
    """A form or letter of `extract`, and questions about its fields and about some that it lacks."""
    kind = None if rng.random() < 0.2 else rng.choice(extract.kinds("train"))
    doc = extract.draw(rng, kind, lang, "train")
    asked = [(about(rng, lang, f), f.text) for f in doc.facts if doc.text.count(f.text) == 1]
    groups = [f.grp for f in doc.facts + doc.plan]
    names = [n for n in " ".join(kind["fields"]).split() if extract.FIELDS[n]["grp"] not in groups] if kind else []
    lacking = [extract.concept_fact(rng, n, lang, "train") for n in rng.sample(names, min(3, len(names)))]
    kinds = [f.kind for f in doc.plan]
    unanswered = [(about(rng, lang, f), ABSENT) for f in lacking if f.kind not in kinds]
    return doc.text, [x for x in asked if x[0]], [x for x in unanswered if x[0]]


def layout(rng, lang, stated, fillers):
    """One text of what is stated, in one of many shapes."""
    lines = list(stated) + rng.sample(fillers, min(len(fillers), rng.choice((0, 0, 1, 2, 3))))
    rng.shuffle(lines)
    r = rng.random()
    if r < 0.45:
        text = " ".join(ended(line) for line in lines)
    elif r < 0.6:
        cut = rng.randint(1, max(1, len(lines) - 1))
        text = " ".join(map(ended, lines[:cut])) + "\n\n" + " ".join(map(ended, lines[cut:]))
    elif r < 0.75:
        bullet = rng.choice(("- ", "* ", "• ", "– ", ""))
        text = "\n".join(bullet + line for line in lines)
    elif r < 0.82:
        text = "\n".join(f"{i}{rng.choice(('.', ')'))} {line}" for i, line in enumerate(lines, 1))
    elif r < 0.9:
        text = "\n\n".join(ended(line) for line in lines)
    else:
        width = rng.choice((50, 60, 72))
        text = wrapped(" ".join(ended(line) for line in lines), width)
    return headed(rng, lang, text.strip())


def ended(line):
    return line if line[-1:] in ".!?:" else line + "."


def wrapped(text, width):
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + len(word) >= width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "\n".join([*lines, line])


HEADS = {
    "en": ["Notice", "Information", "About us", "Overview", "Good to know", "Details", "Announcement", "FAQ", "Notes", "News", "Summary", "Memo"],
    "de": ["Aushang", "Informationen", "Über uns", "Überblick", "Gut zu wissen", "Einzelheiten", "Hinweise", "Aktuelles", "Notizen", "Neues", "Merkblatt", "Rundschreiben"],
}
GREETINGS = {
    "en": [("Dear all,", "Best regards,"), ("Hello {f},", "Thanks,"), ("Dear Ms {l},", "Yours sincerely,"), ("Hi team,", "Cheers,")],
    "de": [("Liebe Kolleginnen und Kollegen,", "Viele Grüße"), ("Hallo {f},", "Danke und Gruß"), ("Sehr geehrte Frau {l},", "Mit freundlichen Grüßen"), ("Guten Tag,", "Freundliche Grüße")],
}


def headed(rng, lang, text):
    r = rng.random()
    if r < 0.12:
        return f"{rng.choice(('# ', '## ', '', '== '))}{rng.choice(HEADS[lang])}\n\n{text}"
    if r < 0.24:
        hello, bye = rng.choice(GREETINGS[lang])
        names = {"f": slots.first(rng, lang, "train"), "l": slots.last(rng, lang, "train")}
        return f"{hello.format(**names)}\n\n{text}\n\n{bye}\n{slots.first(rng, lang, 'train')}"
    return text


# Questions as people type them in a hurry.
def hurried(rng, question):
    r = rng.random()
    if r < 0.06:
        return question.lower()
    if r < 0.10:
        return question.rstrip("?.")
    if r < 0.13:
        return question.rstrip("?.").lower()
    return question


def drawn(rng, lang, split):
    """A text, questions that it answers, and questions that it does not."""
    if split == "train" and rng.random() < 0.12:
        return of_document(rng, lang)
    # Where facts are put in many ways there is most to learn.
    if rng.random() < (0.85 if split == "train" else 0.55):
        stated, asked, unanswered, fillers = of_files(rng, lang, split)
        return layout(rng, lang, stated, fillers), asked, unanswered
    text, asked, unanswered = generic.make(rng, lang, split)
    text = headed(rng, lang, text)
    if rng.random() < 0.25:
        # A neighbour's sentences round about it.
        stated, _, _, fillers = of_files(rng, lang, split)
        other = layout(rng, lang, stated[:2], fillers)
        text = rng.choice((f"{text}\n\n{other}", f"{other}\n\n{text}"))
        unanswered = []
    return text, asked, unanswered


def conversation(text, asked):
    """Questions and answers behind each other: the text comes with the first alone."""
    messages = []
    for question, answer in asked:
        content = f"Question: {question}" if messages else prompt(text, question)
        messages += [{"role": "user", "content": content}, {"role": "assistant", "content": answer}]
    return messages


def make(rng, lang, split):
    text, asked, unanswered = drawn(rng, lang, split)
    rng.shuffle(asked)
    rng.shuffle(unanswered)
    asked = [(q, a) for q, a in asked if a in text]
    from_text = asked and (not unanswered or rng.random() < 0.75)
    # A text whose lines were broken in every answer has none to ask for.
    chosen = (asked if from_text else unanswered)[-1:]
    if split == "train" and chosen and rng.random() < 0.75:
        # More questions behind it, as in a conversation: one text teaches several times.
        rest = [*dict.fromkeys(asked[:-1])][:16] + unanswered[:-1][:5]
        rest = [x for x in rest if x not in chosen]
        chosen += rng.sample(rest, min(len(rest), rng.randint(1, 20)))
    return {"task": "ask", "lang": lang, "messages": conversation(text, [(hurried(rng, q), a) for q, a in chosen])}


if __name__ == "__main__":
    import sys

    for i in range(int(sys.argv[1]) if len(sys.argv) > 1 else 6):
        rng = random.Random(i)
        for m in make(rng, rng.choice(("en", "de")), sys.argv[2] if len(sys.argv) > 2 else "train")["messages"]:
            print(f"<{m['role']}> {m['content']}")
        print("-" * 60)
