"""Conversations of the task "choose a tool and its arguments" for kindling.

`make(rng, lang, split)` gives one conversation in the form of the contract. The tools stand in `tools/*.txt`, of two kinds.

NAMED TOOLS (any file but generic.txt). Lines are `word rest`; `#` begins a comment line.

    only train                      all tools of the file are for training, and never offered beside held-out ones

    topic calendar                  the tools that follow belong to this topic
    apart reminders notes           topics too close to this one: never offered together with its tools

    tool create_event | add_appointment        names, one is drawn; written in snake_case or camelCase
    like delete_event move_event               close to this one, yet clearly another thing: good to offer beside it
                                               (tools of one topic that do not name each other are not offered together)
    about en  Add an event. | Put ...          wordings of the description
    about de  Legt einen Termin an. | ...
    arg title|subject string!  What it is about | name of the event // Worum es geht
                                    names, type (string integer number boolean, or a/b/c for an enum), `!` = required,
                                    descriptions: English // German, wordings divided by |
    fill title en  dentist|team lunch          what can stand for {title} in requests; see below
    en  Put {title} in the calendar for {day}[ at {time}].
    de  Trag {title} für {day} ein.            requests; the last line of each language is for test, the one before for
                                               validation, the others are for training
    none en  Write a poem about rain.          (outside of tools) a request that no tool can serve

In requests `(a|b)` is one of several, `[x]` may be left out, `{arg}` is a value that becomes the argument,
`{arg.form}` another list of values for the same argument (`fill arg.form en ...`), and ` => on=true; level=0` at the end
fixes arguments that the words imply. A fill is a list divided by `|`; an item `value=text` says `text` and means `value`
(enums, booleans); `on <Monday>` says all of it and means `Monday`; `@kind` draws from a built-in kind or from slots.py:
@int(1,20) @num(1,20) @money @when (with its preposition) @day (without) @time @digits @msg @word or any kind of slots.value.
`{arg}` without a fill: @name-of-the-argument. `list NAME en a|b|c` (outside of tools) defines @NAME for all.

GENERIC TOOLS (generic.txt): nouns and verbs of which tools like archive_contract(contract_id) are put together.

    noun contract contracts | de | contract contracts, agreement agreements | m Vertrag Verträge, f Vereinbarung ...
                                    name and plural | classes | English words | German words (gender, singular, plural;
                                    `m Kunde/Kunden Kunden` has its accusative and dative after the slash)
    verb archive | store            names
    split test                      (also for named tools) kept for test or valid; without it the tool is for training
    of dp                           classes of nouns that it takes
    kin find show                   verbs too close to offer beside it for the same noun
    kind one                        one: takes the id; many: works on all of them, no id; new: makes one with a name
    inf archivieren                 German infinitive, for German tool names
    about, arg, fill, en, de        as above. In requests {a} {the} {The} {x} {xs} {thexs} stand for the noun, {id} for its
                                    number; German {den} {der} {Der} {dem} {einen} {xn} {xs} {ihn} {er}.
"""

import json
import os
import random
import re
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
if HERE not in sys.path:
    sys.path.insert(0, HERE)
import slots  # noqa: E402

FOLDER = os.path.join(HERE, "tools")
NONE = "none of the tools fits"
SPLITS = ("train", "valid", "test")


# ---------------------------------------------------------------- reading

def cut(text, mark):
    return [p.strip() for p in text.split(mark) if p.strip()]


def split_of(name):
    """Which split a noun belongs to."""
    h = zlib.crc32(("kindling/" + name).encode()) % 100
    return "test" if h < 10 else "valid" if h < 16 else "train"


class Arg:
    def __init__(self, rest, where):
        m = re.match(r"(\S+)\s+(\S+?)(!?)(?:\s+(.*))?$", rest)
        assert m, where
        self.names = m.group(1).split("|")
        self.key = self.names[0]
        self.type = m.group(2)
        self.enum = self.type.split("/") if "/" in self.type else None
        assert self.enum or self.type in ("string", "integer", "number", "boolean"), where
        self.required = bool(m.group(3))
        en, _, de = (m.group(4) or "").partition("//")
        self.about = {"en": cut(en, "|"), "de": cut(de, "|") or cut(en, "|")}


class Tool:
    def __init__(self, names, topic):
        self.names = names
        self.key = names[0]
        self.topic = topic
        self.like = set()
        self.about = {"en": [], "de": []}
        self.args = []
        self.fills = {}
        self.says = {"en": [], "de": []}
        self.split = "train"
        self.only_train = False
        self.of = ""
        self.kin = set()
        self.kind = "one"
        self.inf = ""
        self.noun = None

    def arg(self, key):
        for a in self.args:
            if a.key == key:
                return a
        return None


class Noun:
    def __init__(self, rest, where):
        parts = [p.strip() for p in rest.split("|")]
        assert len(parts) == 4, where
        self.name, self.plural = parts[0].split()
        self.classes = parts[1]
        self.en = []
        for p in cut(parts[2], ","):
            one, _, many = p.partition(" / ") if " / " in p else p.partition(" ")
            self.en.append((one.strip(), many.strip()))
        self.de = []
        for p in cut(parts[3], ","):
            g, one, many = p.split(" ", 2)
            assert g in "mfn", where
            nom, _, obl = one.partition("/")
            self.de.append((g, nom, obl or nom, many))
        self.split, self.only_train = split_of(self.name), False


def expand(text):
    """Parse a request into a tree of sequences, choices and optional parts."""
    def seq(i, stops):
        out, buf = [], ""
        while i < len(text) and text[i] not in stops:
            c = text[i]
            if c == "(":
                if buf:
                    out.append(buf)
                    buf = ""
                options = []
                while True:
                    part, i = seq(i + 1, "|)")
                    options.append(part)
                    if text[i] == ")":
                        break
                out.append(("or", options))
            elif c == "[":
                if buf:
                    out.append(buf)
                    buf = ""
                part, i = seq(i + 1, "]")
                out.append(("opt", part))
            elif c == "{":
                if buf:
                    out.append(buf)
                    buf = ""
                j = text.index("}", i)
                out.append(("slot", text[i + 1:j]))
                i = j
            else:
                buf += c
            i += 1
        if buf:
            out.append(buf)
        return out, i
    tree, end = seq(0, "")
    assert end == len(text), text
    return tree


def choose(tree, rng, out):
    for node in tree:
        if isinstance(node, str):
            out.append(node)
        elif node[0] == "or":
            choose(rng.choice(node[1]), rng, out)
        elif node[0] == "opt":
            if rng.random() < 0.5:
                choose(node[1], rng, out)
        else:
            out.append(node)
    return out


class Say:
    def __init__(self, text, where):
        self.where = where
        body, _, fixed = text.partition(" => ")
        self.text = body.strip()
        self.tree = expand(self.text)
        self.fixed = {}
        for part in cut(fixed, ";"):
            k, _, v = part.partition("=")
            self.fixed[k.strip()] = v.strip()


def typed(arg, text):
    """The JSON value of a fixed argument."""
    if arg.enum or arg.type == "string":
        return text
    if arg.type == "boolean":
        return text == "true"
    return int(text) if arg.type == "integer" else float(text)


def read():
    tools, nouns, verbs, nones, lists, apart = [], [], [], {"en": [], "de": []}, {}, {}
    for name in sorted(os.listdir(FOLDER)):
        if not name.endswith(".txt"):
            continue
        topic, tool, only_train = "", None, False
        with open(os.path.join(FOLDER, name), encoding="utf-8") as f:
            for no, line in enumerate(f, 1):
                line = line.strip()
                if not line or line.startswith("#"):
                    continue
                where = f"{name}:{no}"
                word, _, rest = line.partition(" ")
                rest = rest.strip()
                if line == "only train":
                    only_train = True
                elif word == "topic":
                    topic, tool = rest, None
                    apart.setdefault(topic, set())
                elif word == "apart":
                    apart[topic].update(rest.split())
                elif word == "tool":
                    tool = Tool(cut(rest, "|"), topic)
                    tool.only_train = only_train
                    tools.append(tool)
                elif word == "verb":
                    tool = Tool(cut(rest, "|"), "")
                    verbs.append(tool)
                elif word == "noun":
                    nouns.append(Noun(rest, where))
                elif word == "like":
                    tool.like.update(rest.split())
                elif word in ("of", "kind", "inf", "split"):
                    setattr(tool, word, rest)
                elif word == "kin":
                    tool.kin.update(rest.split())
                elif word == "about":
                    lang, _, text = rest.partition(" ")
                    tool.about[lang] += cut(text, "|")
                elif word == "arg":
                    tool.args.append(Arg(rest, where))
                elif word == "fill":
                    key, lang, text = re.split(r"\s+", rest, maxsplit=2)
                    tool.fills[key, lang] = cut(text, "|")
                elif word == "list":
                    key, lang, text = re.split(r"\s+", rest, maxsplit=2)
                    lists.setdefault((key, lang), []).extend(cut(text, "|"))
                elif word == "none":
                    lang, _, text = rest.partition(" ")
                    nones[lang].append(Say(text.strip(), where))
                elif word in ("en", "de"):
                    tool.says[word].append(Say(rest, where))
                else:
                    raise ValueError(f"{where}: {line}")
    names = {t.key: t for t in tools}
    for t in tools:
        for other in t.like:
            if other in names:
                names[other].like.add(t.key)
    for v in verbs:
        for other in v.kin:
            for w in verbs:
                if w.key == other:
                    w.kin.add(v.key)
    for a in list(apart):
        for b in apart[a]:
            apart.setdefault(b, set()).add(a)
    return tools, nouns, verbs, nones, lists, apart


TOOLS, NOUNS, VERBS, NONES, LISTS, APART = read()
NAMES = {t.key: t for t in TOOLS}


# ---------------------------------------------------------------- values

WORDS = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
          "eighteen nineteen twenty".split(),
    "de": "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn "
          "achtzehn neunzehn zwanzig".split(),
}
DAYS = {"en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
        "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag".split()}
MONTHS = {"en": "January February March April May June July August September October November December".split(),
          "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split()}


def part_of(items, split):
    """The part of a list that a split may use: the last fifth is kept from training."""
    n = len(items)
    if n < 8:
        return items
    k = max(1, n // 10)
    return {"train": items[:n - 2 * k], "valid": items[n - 2 * k:n - k], "test": items[n - k:]}[split]


def when(rng, lang):
    """A day with the preposition it needs: ("on Monday", "Monday")."""
    r = rng.random()
    if lang == "en":
        if r < 0.3:
            t = rng.choice(["today", "tomorrow", "tonight", "this afternoon", "tomorrow morning", "this evening",
                            "tomorrow afternoon", "the day after tomorrow", "next week", "later today", "this weekend",
                            "tomorrow evening", "this morning"])
            return t, t
        d = rng.choice(DAYS[lang])
        if r < 0.5:
            return "on " + d, d
        if r < 0.6:
            t = rng.choice(["next ", "this ", "coming "]) + d
            return ("" if not t.startswith("coming") else "on the ") + t, t
        if r < 0.7:
            t = d + rng.choice([" morning", " afternoon", " evening"])
            return "on " + t, t
        n, m = rng.randint(1, 28), rng.choice(MONTHS[lang])
        t = rng.choice([f"{n} {m}", f"{m} {n}", f"{n} {m[:3]}" if len(m) > 4 else f"{n} {m}"])
        if r < 0.82:
            return "on " + t, t
        th = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}.get(n, "th")
        if r < 0.9:
            return f"on the {n}{th}", f"{n}{th}"
        return "on " + slots.date(rng, lang)[0], None
    if r < 0.3:
        t = rng.choice(["heute", "morgen", "heute Abend", "heute Nachmittag", "morgen früh", "übermorgen", "nächste Woche",
                        "morgen Vormittag", "morgen Abend", "später", "dieses Wochenende", "morgen Mittag"])
        return t, t
    d = rng.choice(DAYS[lang])
    if r < 0.5:
        return "am " + d, d
    if r < 0.6:
        t = rng.choice(["nächsten ", "diesen ", "kommenden "]) + d
        return t, t
    if r < 0.7:
        t = d + rng.choice(["vormittag", "nachmittag", "abend"])
        return "am " + t, t
    n, m = rng.randint(1, 28), rng.choice(MONTHS[lang])
    if r < 0.88:
        t = rng.choice([f"{n}. {m}", f"{n}. {m}", f"{n}.{MONTHS[lang].index(m) + 1}.", f"{n}. {MONTHS[lang].index(m) + 1}."])
        return "am " + t, t
    return "am " + slots.date(rng, lang)[0], None


def day(rng, lang):
    """A day without a preposition, to stand after for / für or a colon."""
    text, value = when(rng, lang)
    if value is None:
        value = text[3:]
    text = value
    if lang == "en" and re.match(r"\d+(st|nd|rd|th)$", value) or lang == "en" and value.startswith("coming "):
        return "the " + value, value
    return text, value


def clock(rng, lang):
    if rng.random() < 0.35:
        return slots.time(rng, lang)[0]
    h, m = rng.randint(6, 22), rng.choice([0, 0, 0, 15, 30, 30, 45, 10, 20, 40, 50])
    if lang == "en":
        suffix = rng.choice([" pm", "pm", " p.m."]) if h >= 12 else rng.choice([" am", "am", " a.m."])
        k = h - 12 if h > 12 else h
        return rng.choice([f"{h}:{m:02}", f"{k}{suffix}" if not m else f"{k}:{m:02}{suffix}",
                           rng.choice(["noon", "midnight", "half past " + WORDS[lang][k], "quarter to " + WORDS[lang][k],
                                       WORDS[lang][k] + " o'clock", "quarter past " + WORDS[lang][k]])])
    k = h - 12 if h > 12 else h
    word = "eins" if k == 1 else WORDS[lang][k]
    return rng.choice([f"{h} Uhr" if not m else f"{h}:{m:02} Uhr", f"{h}:{m:02}", f"{h}.{m:02} Uhr" if m else f"{h} Uhr",
                       rng.choice([f"halb {word}", f"Viertel vor {word}", f"Viertel nach {word}"]), f"{h} Uhr {m}" if m else f"{h} Uhr"])


def integer(rng, lang, low, high):
    n = rng.randint(low, high)
    if 2 <= n <= (20 if rng.random() < 0.3 else 12) and rng.random() < 0.35:
        return WORDS[lang][n], n
    if n >= 1000 and rng.random() < 0.4:
        return f"{n:,}".replace(",", "." if lang == "de" else ","), n
    return str(n), n


def number(rng, lang, low, high):
    n = rng.randint(low, high)
    if rng.random() < 0.55:
        return str(n), float(n)
    frac = rng.choice([5, 5, 5, 25, 75, 2, 4, 8, 1, 3, 7])
    text = f"{n}.{frac}"
    return text.replace(".", "," if lang == "de" else "."), float(text)


def money(rng, lang):
    if rng.random() < 0.4:
        return slots.money(rng, lang)
    n = rng.choice([rng.randint(2, 99), rng.randint(100, 999), rng.randint(1000, 9999)])
    c = rng.choice([0, 0, 50, 90, 99, rng.randint(1, 99)])
    value = n + c / 100
    if not c:
        body = str(n)
    else:
        body = f"{n}.{c:02}" if lang == "en" else f"{n},{c:02}"
    sign = rng.choice(["{} euros", "€{}", "{} EUR", "€ {}"] if lang == "en" else ["{} Euro", "{} €", "{} EUR"])
    return sign.format(body), value


def parse_item(rng, item, lang, split, depth=0):
    """One item of a fill: the text said and the value meant (a string, or a number for @int and the like)."""
    if item.startswith("@"):
        m = re.match(r"@(\w+)(?:\(([^)]*)\))?$", item)
        assert m, item
        kind, nums = m.group(1), [int(x) for x in (m.group(2) or "").split(",") if x]
        if kind == "int":
            return integer(rng, lang, *nums)
        if kind == "num":
            return number(rng, lang, *nums)
        if kind == "money":
            return money(rng, lang)
        if kind == "when":
            text, value = when(rng, lang)
            return text, value if value is not None else text.split(" ", 1)[1]
        if kind == "day":
            return day(rng, lang)
        if kind == "digits":
            t = str(rng.randint(10, rng.choice([999, 9999, 99999, 9999999])))
            return t, t
        if kind == "time":
            t = clock(rng, lang)
            return t, t
        if (kind, lang) in LISTS:
            return parse_item(rng, rng.choice(part_of(LISTS[kind, lang], split)), lang, split, depth + 1)
        v = slots.value(rng, kind, lang, split)
        return v, v
    text, value = item, None
    m = re.match(r"([\w-]+)=(.*)$", item)
    if m:
        value, text = m.group(1), m.group(2)
    # holes inside a value: "the {thing} is ready"
    def hole(mm):
        if mm.group(1).startswith("int("):
            return str(rng.randint(*(int(x) for x in mm.group(1)[4:-1].split(","))))
        return parse_item(rng, "@" + mm.group(1), lang, split, depth + 1)[0]
    text = re.sub(r"\{(\w+(?:\([^)]*\))?)\}", hole, text)
    m = re.search(r"<(.*)>", text)
    if m:
        value = m.group(1) if value is None else value
        text = text.replace("<", "").replace(">", "")
    return text, text if value is None else value


def fill(rng, tool, key, lang, split):
    items = tool.fills.get((key, lang)) or tool.fills.get((key, "all"))
    if items is None:
        items = ["@" + key.split(".")[0]]
    if any("=" in i and re.match(r"[\w-]+=", i) for i in items):
        pool = items
    else:
        pool = part_of(items, split)
    return parse_item(rng, rng.choice(pool), lang, split)


def lines_of(tool, lang, split):
    says = tool.says[lang]
    if tool.split == split and split != "train":
        return says
    if split == "train":
        return says[:-2]
    return says[-1:] if split == "test" else says[-2:-1]


# ---------------------------------------------------------------- generic tools

def article(word):
    return "an" if word[0].lower() in "aeiou" and not re.match(r"(u[nst]i|use|eu|one)", word.lower()) else "a"


def en_noun(one, many):
    return {"a": article(one) + " " + one, "the": "the " + one, "The": "The " + one, "x": one, "xs": many,
            "thexs": "the " + many, "Xs": many[0].upper() + many[1:], "X": one[0].upper() + one[1:]}


def de_noun(g, nom, obl, many):
    i = "mfn".index(g)
    return {"der": ("der", "die", "das")[i] + " " + nom, "Der": ("Der", "Die", "Das")[i] + " " + nom,
            "den": ("den", "die", "das")[i] + " " + obl, "dem": ("dem", "der", "dem")[i] + " " + obl,
            "Den": ("Den", "Die", "Das")[i] + " " + obl,
            "einen": ("einen", "eine", "ein")[i] + " " + obl, "x": nom, "xn": obl, "xs": many,
            "neuen": ("einen neuen", "eine neue", "ein neues")[i] + " " + obl,
            "ein": ("ein", "eine", "ein")[i] + " " + nom,
            "ihn": ("ihn", "sie", "es")[i], "er": ("er", "sie", "es")[i], "Er": ("Er", "Sie", "Es")[i],
            "ihm": ("ihm", "ihr", "ihm")[i], "welchen": ("welchen", "welche", "welches")[i] + " " + obl}


def forms(noun, lang, which):
    return en_noun(*noun.en[which]) if lang == "en" else de_noun(*noun.de[which])


def put(text, words):
    return re.sub(r"\{(\w+)\}", lambda m: words.get(m.group(1), m.group(0)), text)


ASCII = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


def invented(rng, split):
    w = ""
    while len(w) < 4 or len(w) > 11 or not re.search(r"[aeiou]", w):
        w = re.sub(r"[^a-z]", "", slots.value(rng, "word", "en", split).lower())
    n = Noun.__new__(Noun)
    n.name, n.plural = w, w + "s"
    n.classes = "*"
    n.en = [(w, w + "s")]
    g = rng.choice("mfn")
    n.de = [(g, w.capitalize(), w.capitalize(), w.capitalize() + rng.choice(["s", "s", "e" if w[-1] not in "aeiou" else "s"]))]
    n.split = split
    return n


def generic(rng, verb, noun, lang, german):
    """A tool put together of a verb and a noun."""
    g = Tool([verb.key], "generic")
    g.noun, g.verb = noun, verb
    name = rng.choice(verb.names)
    many = verb.kind == "many"
    if german:
        w = noun.de[0][3 if many else 2].lower().replace("-", "_").replace(" ", "_").translate(ASCII)
        inf = verb.inf.translate(ASCII).replace(" ", "_")
        g.names = [f"{w}_{inf}"]
        idname = rng.choice(["nummer", "id", noun.de[0][1].lower().replace("-", "_").replace(" ", "_").translate(ASCII) + "_nr"])
    else:
        g.names = [name + "_" + (noun.plural if many else noun.name)]
        if rng.random() < 0.08:
            g.names = [(noun.plural if many else noun.name) + "_" + name]
        idname = rng.choice([noun.name + "_id", "id", noun.name + "_number", "number", noun.name + "_no", "reference",
                             noun.name, noun.name + "_id"])
        if "p" in noun.classes:
            idname = rng.choice(["name", noun.name + "_name", noun.name, "full_name"])
    g.key = (verb.key, noun.name)
    en, de = en_noun(*noun.en[0]), de_noun(*noun.de[0])
    g.about = {"en": [put(a, en) for a in verb.about["en"]], "de": [put(a, de) for a in verb.about["de"]]}
    if verb.kind in ("one", "new"):
        a = Arg("id string!", "")
        a.names = [idname]
        p = "p" in noun.classes
        if verb.kind == "new":
            a.names = [rng.choice(["name", "title", noun.name + "_name", "name"])] if not german else ["name"]
            a.about = {"en": [f"Name of the new {noun.en[0][0]}", "Name", f"What the {noun.en[0][0]} is called"],
                       "de": ["Name", "Bezeichnung", "Wie " + de["der"] + " heißen soll"]}
        elif p:
            a.about = {"en": ["Name of the person", f"Name of the {noun.en[0][0]}", "Full name"],
                       "de": ["Name", "Vollständiger Name", "Name der Person"]}
        else:
            a.about = {"en": [f"Number of the {noun.en[0][0]}", "Identifier", f"Which {noun.en[0][0]}", f"ID of the {noun.en[0][0]}"],
                       "de": ["Nummer", "Kennung", "Um " + de["welchen"] + " es geht", "Kennnummer"]}
        g.args.append(a)
    g.args += verb.args
    g.fills = verb.fills
    return g


def generic_request(rng, g, lang, split):
    noun, verb = g.noun, g.verb
    words = noun.en if lang == "en" else noun.de
    which = 0 if rng.random() < 0.68 else rng.randrange(len(words))
    f = forms(noun, lang, which)
    say = rng.choice(lines_of(verb, lang, split))
    if verb.kind == "new":
        idkind = "person" if "p" in noun.classes else None
    else:
        idkind = "person" if "p" in noun.classes else "id"

    def ident():
        if verb.kind == "new" and idkind is None:
            return rng.choice([slots.value(rng, "word", lang, split), slots.value(rng, "word", lang, split).capitalize(),
                               slots.value(rng, "city", lang, split), slots.value(rng, "topic", lang, split),
                               slots.value(rng, "product", lang, split), slots.value(rng, "thing", lang, split)])
        if idkind == "person":
            return slots.value(rng, "person", lang, split)
        r = rng.random()
        if r < 0.6:
            return slots.value(rng, "id", lang, split)
        if r < 0.8:
            return str(rng.randint(10, 99999))
        if r < 0.9:
            return rng.choice("ABCDEFGHKLMNPRSTUVWX") + str(rng.randint(1, 999))
        return slots.value(rng, "word", lang, split).capitalize()
    value = ident()
    lead = ""
    if idkind == "id" and verb.kind == "one" and rng.random() < 0.18:
        lead = rng.choice(["no. ", "number ", "#", "with the number "] if lang == "en" else ["Nr. ", "Nummer ", "mit der Nummer "])
    args, text = {}, ""
    for node in choose(say.tree, rng, []):
        if isinstance(node, str):
            text += node
        elif node[1] == "id":
            text += lead + value
            args["id"] = value
        elif node[1] in f:
            text += f[node[1]]
        else:
            said, meant = fill(rng, verb, node[1], lang, split)
            text += said
            args[node[1].split(".")[0]] = meant
    for k, v in say.fixed.items():
        args[k] = typed(g.arg(k), v)
    return text, args


# ---------------------------------------------------------------- requests and prompts

def alike(args):
    """Do two arguments say the same, or units that do not go together?"""
    texts = [v for k, v in args.items() if isinstance(v, str)]
    mass = ("kg", "lb", "g")
    return len(set(texts)) < len(texts) or "from_unit" in args and (args["from_unit"] in mass) != (args["to_unit"] in mass)


def request(rng, tool, lang, split):
    for _ in range(8):
        text, args = request_once(rng, tool, lang, split)
        if not alike(args):
            break
    return text, args


def request_once(rng, tool, lang, split):
    if tool.noun is not None:
        return generic_request(rng, tool, lang, split)
    say = rng.choice(lines_of(tool, lang, split))
    text, args = "", {}
    for node in choose(say.tree, rng, []):
        if isinstance(node, str):
            text += node
            continue
        said, meant = fill(rng, tool, node[1], lang, split)
        text += said
        args[node[1].split(".")[0]] = meant
    for k, v in say.fixed.items():
        args[k] = typed(tool.arg(k), v)
    for k in args:
        a = tool.arg(k)
        assert a is not None, (say.where, k)
        if a.type == "boolean" and isinstance(args[k], str):
            args[k] = args[k] == "true"
        if a.type == "integer" and isinstance(args[k], str):
            args[k] = int(args[k])
        if a.type == "number" and not isinstance(args[k], str):
            args[k] = round(float(args[k]), 2)
    return text, args


OPEN = {"en": ["Hi! ", "Hello. ", "Good morning. ", "Hey, one thing: ", "Quick one: ", "OK. ", "Hello there, next job: ", "So: ",
               "Right. ", "Good afternoon! "],
        "de": ["Hallo! ", "Guten Morgen. ", "Guten Tag. ", "Kurze Bitte: ", "Ach ja: ", "So, weiter. ", "Noch etwas: ", "Moin! ",
               "Okay. ", "Servus! "]}
CLOSE = {"en": [" Thanks!", " Thank you.", " Cheers.", " That's all.", " It is urgent.", " Many thanks!"],
         "de": [" Danke!", " Vielen Dank.", " Danke dir.", " Das wäre alles.", " Es eilt.", " Besten Dank!"]}


def dress(rng, text, args, tool, lang):
    """Small changes of how the same request is typed, where what it names stays as it is."""
    if text.endswith(".."):
        text = text[:-1]
    new, given = typing(rng, text, dict(args), tool, lang)
    strings = [a.key for a in tool.args if a.type == "string"]
    if all(given[k] in new for k in strings if k in given):
        return new, given
    return text, args


def typing(rng, text, args, tool, lang):
    r = rng.random()
    if r < 0.07:
        text = rng.choice(OPEN[lang]) + text
    elif r < 0.13:
        if text[-1] not in ".!?":
            text += "."
        text += rng.choice(CLOSE[lang])
    elif r < 0.2 and text[-1] == ".":
        text = text[:-1]
    elif r < 0.26:
        low = text.lower()
        if len(low) == len(text):
            strings = [a.key for a in tool.args if a.type == "string"]
            for k in strings:
                if isinstance(args.get(k), str) and args[k] in text:
                    args[k] = args[k].lower()
            text = low.rstrip(".!")
    return text, args


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(p[:1].upper() + p[1:] for p in rest)


class Sheet:
    """How one prompt writes its tools."""
    def __init__(self, rng, lang):
        self.style = rng.choice(["snake"] * 6 + ["camel"] * 3 + ["kebab"] if rng.random() < 0.5 else ["snake", "camel"])
        self.english = lang == "en" or rng.random() < 0.45
        self.bare = rng.random() < 0.1          # no descriptions of arguments
        self.silent = rng.random() < 0.05       # no descriptions of tools
        self.shuffle = rng.random() < 0.25

    def name(self, n):
        return camel(n) if self.style == "camel" else n.replace("_", "-") if self.style == "kebab" else n

    def argname(self, n):
        return camel(n) if self.style == "camel" else n

    def show(self, rng, tool, used):
        """The tool's entry, its name, and the names its arguments have there, in order."""
        lang = "en" if self.english else "de"
        name = self.name(rng.choice(tool.names))
        props, required, keys = {}, [], {}
        which = rng.randrange(3)
        args = list(tool.args)
        if self.shuffle:
            rng.shuffle(args)
        for a in args:
            if not a.required and a.key not in used and rng.random() < 0.3:
                continue
            n = self.argname(a.names[min(which, len(a.names) - 1)])
            if n in props:
                n = self.argname(a.key)
            p = {"type": "string" if a.enum else a.type}
            if a.about[lang] and not self.bare and rng.random() < 0.93:
                p["description"] = rng.choice(a.about[lang])
            if a.enum:
                p["enum"] = list(a.enum)
            props[n] = p
            keys[n] = a.key
            if a.required:
                required.append(n)
        about = rng.choice(tool.about[lang])
        if rng.random() < 0.3:
            about = about.rstrip(".")
        f = {"name": name, "description": "" if self.silent else about,
             "parameters": {"type": "object", "properties": props, "required": required}}
        if self.silent:
            del f["description"]
        return {"type": "function", "function": f}, name, keys


def pool_of(items, split, fresh):
    """Tools for a split: held-out ones where `fresh`, else those of training."""
    known = [t for t in items if t.split == "train" and (split == "train" or not t.only_train)]
    if split == "train" or not fresh:
        return known
    return [t for t in items if t.split == split] or known


def visible(items, split):
    """What may be offered beside: the other splits' tools are not shown in training."""
    return [t for t in items if t.split == split or t.split == "train" and not t.only_train]


# topics whose tools might serve requests about nouns of these classes
TOUCHY = {"machines": "om", "stock": "o", "products": "o", "orders": "od", "shopping": "o", "files": "df", "printing": "df",
          "tickets": "mf", "doors": "a", "staff": "p", "customers": "p", "contacts": "p", "phone": "p", "rooms": "a", "sensors": "m",
          "it_users": "pf", "it_servers": "mf", "fleet": "om", "clinic": "p", "visitors": "p", "cameras": "a", "coffee": "",
          "translation": "d", "mail": "d", "messages": "p", "library": "o", "payments": "", "calendar": "e", "reminders": "",
          "routes": "", "music": "e", "invoices": "d", "returns": "o", "shifts": "p", "school": "p", "ventilation": "m"}


def fits_beside(t, u):
    """May u be offered when t is, without either serving a request for the other?"""
    if t.noun is not None or u.noun is not None:
        if t.noun is None or u.noun is None:
            named, put_together = (t, u) if t.noun is None else (u, t)
            if set(TOUCHY.get(named.topic, "")) & set(put_together.noun.classes):
                return False
            return not (words_of(t) & words_of(u))
        if t.key == u.key:
            return False
        if t.noun is u.noun or t.noun.name == u.noun.name:
            return u.verb is not t.verb and u.verb.key not in t.verb.kin
        shared = {w[0].lower() for w in t.noun.en} & {w[0].lower() for w in u.noun.en}
        shared |= {w[1].lower() for w in t.noun.de} & {w[1].lower() for w in u.noun.de}
        return not shared
    if t.key == u.key:
        return False
    if u.key in t.like:
        return True
    return t.topic != u.topic and u.topic not in APART.get(t.topic, ())


# nouns that the named tools already deal with
def words_of(t):
    if t.noun is not None:
        return {t.noun.name, t.noun.plural} | {w[0].lower() for w in t.noun.en}
    out = set()
    for n in t.names:
        out.update(n.split("_"))
    out.add(t.topic)
    out.add(t.topic.rstrip("s"))
    return out


def add(offered, tool):
    if all(fits_beside(o, tool) and fits_beside(tool, o) for o in offered):
        offered.append(tool)
        return True
    return False


def verbs_for(noun, verbs):
    return [v for v in verbs if noun.classes == "*" or set(v.of) & set(noun.classes)]


def neighbours(rng, offered, target, n, lang, split, german):
    """Fill up the prompt with other tools, close ones first."""
    verbs, nouns, tools = visible(VERBS, split), visible(NOUNS, split), visible(TOOLS, split)
    tries = 0
    closeness = rng.random()
    while len(offered) < n and tries < 60:
        tries += 1
        base = target if rng.random() < 0.7 else rng.choice(offered)
        r = rng.random()
        if base.noun is not None:
            if r < 0.5 * closeness + 0.25:
                v = rng.choice(verbs_for(base.noun, verbs))
                add(offered, generic(rng, v, base.noun, lang, german))
            elif r < 0.85:
                same = rng.random() < 0.6
                noun = rng.choice(nouns) if rng.random() < 0.92 else invented(rng, split)
                ok = verbs_for(noun, verbs)
                v = base.verb if same and base.verb in ok else rng.choice(ok)
                add(offered, generic(rng, v, noun, lang, german))
            elif not german:
                add(offered, rng.choice(tools))
        else:
            near = [NAMES[k] for k in sorted(base.like) if k in NAMES and NAMES[k] in tools]
            if near and r < 0.45 * closeness + 0.3:
                add(offered, rng.choice(near))
            elif r < 0.93:
                add(offered, rng.choice(tools))
            else:
                noun = rng.choice(nouns)
                add(offered, generic(rng, rng.choice(verbs_for(noun, verbs)), noun, lang, False))


def make(rng, lang, split):
    assert lang in ("en", "de") and split in SPLITS
    sheet = Sheet(rng, lang)
    german = False
    fresh = rng.random() < 0.6
    if rng.random() < 0.6:
        target = rng.choice(pool_of(TOOLS, split, fresh))
    else:
        german = lang == "de" and rng.random() < 0.12
        freshverb = fresh and rng.random() < 0.5
        if rng.random() < 0.12:
            noun = invented(rng, split)
        else:
            noun = rng.choice(pool_of(NOUNS, split, fresh and (not freshverb or rng.random() < 0.4)))
        verbs = verbs_for(noun, pool_of(VERBS, split, freshverb)) or verbs_for(noun, pool_of(VERBS, split, False))
        target = generic(rng, rng.choice(verbs), noun, lang, german)
    n = rng.choice([1, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 6, 7])
    offered = [target]
    nothing = rng.random() < 0.12
    neighbours(rng, offered, target, n + (1 if nothing else 0), lang, split, german)
    if nothing:
        if len(offered) == 1:
            neighbours(rng, offered, target, 2, lang, split, german)
        if len(offered) > 1:
            offered.remove(target)
        else:
            nothing = False
    turns = []

    def none_turn():
        """A request that none of the offered tools serves."""
        r = rng.random()
        if r < 0.2 and NONES[lang]:
            say = rng.choice(part_of(NONES[lang], split))
            return "".join(c if isinstance(c, str) else fill(rng, Tool(["x"], ""), c[1], lang, split)[0]
                           for c in choose(say.tree, rng, []))
        for _ in range(30):
            other = rng.choice(pool_of(TOOLS, split, fresh))
            if all(fits_beside(o, other) and fits_beside(other, o) for o in offered):
                return dress(rng, *request(rng, other, lang, split), other, lang)[0]
        return None

    if nothing:
        if rng.random() < 0.75:
            text, args = request(rng, target, lang, split)
            turns.append((dress(rng, text, args, target, lang)[0], None, None))
        else:
            text = none_turn()
            if text is None:
                text = request(rng, target, lang, split)[0]
            turns.append((text, None, None))
    else:
        text, args = request(rng, target, lang, split)
        text, args = dress(rng, text, args, target, lang)
        turns.append((text, target, args))
    if split == "train" and rng.random() < 0.5:
        for _ in range(rng.choice([1, 1, 2, 2, 3, 4])):
            if rng.random() < 0.14:
                text = none_turn()
                if text is not None:
                    turns.append((text, None, None))
                continue
            tool = rng.choice(offered)
            if not lines_of(tool if tool.noun is None else tool.verb, lang, split):
                continue
            text, args = request(rng, tool, lang, split)
            text, args = dress(rng, text, args, tool, lang)
            turns.append((text, tool, args))
    rng.shuffle(offered)
    used = {}
    for _, tool, args in turns:
        if tool is not None:
            used.setdefault(id(tool), set()).update(args)
    tools, shown, names = [], {}, []
    for t in offered:
        entry, name, keys = sheet.show(rng, t, used.get(id(t), ()))
        if name in names:                       # two tools of one name: keep the one that is asked for
            if id(t) not in used:
                continue
            i = names.index(name)
            clash = [k for k in shown if shown[k][0] == name]
            if any(k in used for k in clash):
                return make(rng, lang, split)
            del tools[i], names[i]
        tools.append(entry)
        names.append(name)
        shown[id(t)] = (name, keys)
    messages = []
    for text, tool, args in turns:
        messages.append({"role": "user", "content": text})
        if tool is None:
            messages.append({"role": "assistant", "content": NONE})
            continue
        name, keys = shown[id(tool)]
        given = {n: args[k] for n, k in keys.items() if k in args}
        messages.append({"role": "assistant", "content": "", "tool_calls": [
            {"type": "function", "function": {"name": name, "arguments": given}}]})
    return {"task": "tools", "lang": lang, "messages": messages, "tools": tools}


# ---------------------------------------------------------------- check and samples

def slots_in(tree, out, must):
    for node in tree:
        if isinstance(node, str):
            continue
        if node[0] == "slot":
            out.add(node[1])
            must.add(node[1].split(".")[0])
        elif node[0] == "opt":
            slots_in(node[1], out, set())
        else:
            each = []
            for option in node[1]:
                m = set()
                slots_in(option, out, m)
                each.append(m)
            must |= set.intersection(*each)
    return out, must


def check():
    bad = []
    seen = {}
    noun_words = set(de_noun("m", "x", "x", "x")) | set(en_noun("x", "x"))
    for t in TOOLS + VERBS:
        isverb = t in VERBS
        if t.key in seen and not isverb:
            bad.append(f"{t.key}: twice")
        seen[t.key] = t
        for other in t.like:
            if other not in NAMES:
                bad.append(f"{t.key}: like {other}?")
        for lang in ("en", "de"):
            if not t.about[lang]:
                bad.append(f"{t.key}: no description in {lang}")
            if len(t.says[lang]) < (5 if isverb else 8):
                bad.append(f"{t.key}: {len(t.says[lang])} requests in {lang}")
            for s in t.says[lang]:
                all_, must = slots_in(s.tree, set(), set())
                for k in all_:
                    base = k.split(".")[0]
                    if isverb and (k in noun_words or k == "id"):
                        continue
                    if t.arg(base) is None:
                        bad.append(f"{s.where}: no argument {base}")
                        continue
                    items = t.fills.get((k, lang)) or t.fills.get((k, "all")) or ["@" + base]
                    try:
                        for i in items:
                            v = parse_item(random.Random(1), i, lang, "train")[1]
                            a = t.arg(base)
                            if a.enum and v not in a.enum:
                                bad.append(f"{s.where}: {v!r} is not in {a.enum} ({i})")
                            if a.type in ("integer", "number") and isinstance(v, str) and not v.isdigit():
                                bad.append(f"{s.where}: {k}={v!r} is no number")
                            if a.type == "string" and not a.enum and not isinstance(v, str):
                                bad.append(f"{s.where}: {k}={v!r} is no string")
                    except Exception as e:  # noqa: BLE001
                        bad.append(f"{s.where}: {k}: {type(e).__name__} {e}")
                for k, v in s.fixed.items():
                    a = t.arg(k)
                    if a is None or (a.enum and v not in a.enum):
                        bad.append(f"{s.where}: fixed {k}={v}")
                given = must | set(s.fixed)
                for a in t.args:
                    if a.required and a.key not in given:
                        bad.append(f"{s.where}: {a.key} may be missing")
                if isverb and t.kind in ("one", "new") and "id" not in must:
                    bad.append(f"{s.where}: no id")
                if isverb and t.kind == "many" and "id" in all_:
                    bad.append(f"{s.where}: id")
    return bad


def show(c):
    lines = []
    for t in c["tools"]:
        f = t["function"]
        ps = ", ".join(f"{k}{'' if k in f['parameters']['required'] else '?'}: "
                       + ("/".join(p["enum"]) if "enum" in p else p["type"]) for k, p in f["parameters"]["properties"].items())
        lines.append(f"    {f['name']}({ps})  -- {f.get('description', '')}")
    for m in c["messages"]:
        if m["role"] == "user":
            lines.append("  > " + m["content"])
        elif m.get("tool_calls"):
            f = m["tool_calls"][0]["function"]
            lines.append(f"  < {f['name']} {json.dumps(f['arguments'], ensure_ascii=False)}")
        else:
            lines.append("  < " + m["content"])
    return "\n".join(lines)


if __name__ == "__main__":
    for b in check():
        print("BAD", b)
    print(len(TOOLS), "tools,", sum(len(t.says[x]) for t in TOOLS for x in ("en", "de")), "requests,", len(VERBS), "verbs,",
          len(NOUNS), "nouns; held out:", [t.key for t in TOOLS + VERBS if t.split == "test"],
          [n.name for n in NOUNS if n.split == "test"])
    r = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    for i in range(int(sys.argv[2]) if len(sys.argv) > 2 else 40):
        sp = SPLITS[0 if i % 4 else 2]
        la = ("en", "de")[i % 2]
        print(f"--- {la} {sp}")
        print(show(make(r, la, sp)))
