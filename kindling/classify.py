"""Conversations of the task "classify": choose the label that fits a message.

The label sets lie in labels/*.txt, one file = one set of labels that exclude each other, in one language (the file's
name begins with it: `en_hotel.txt`, `de_hotel.txt`). The format, by the first word of a line:

    # comment
    kind mail          mail: messages to some office or business; topic: things, notes, sentences of a subject;
                       style: a property that any text has (sentiment, urgency, language): never mixed with other sets
    split valid        train (default), valid or test: the whole set goes there
    clash vet hotel    sets whose labels may fit messages of this one (* = all): never mixed with them
    frame We saw {k}.  a message for any label of the set; {k} stands for one of the label's keywords
    n billing | invoice questions | bills_and_payments      begins a label: its names
    d questions about invoices and payments                 a definition of it
    k unpaid invoice, wrong amount, bank transfer           its keywords, separated by commas (for frames, for definitions)
    m I got {product} and was charged [twice|two times].    a message that belongs to it

In messages, frames and definitions `[a|b]` is one of a and b, and `{type}` a value of slots.py.
"""

import collections
import functools
import os
import random
import re

try:
    import slots
except ImportError:  # as part of a package
    try:
        from . import slots
    except ImportError:
        slots = None

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "labels")
HEAD = "Choose the label that fits the message.\n\nLabels, each after its meaning:\n"


class Label:
    def __init__(self, names, set_):
        self.names, self.set = names, set_
        self.defs, self.words, self.msgs = [], [], []


class Set:
    def __init__(self, name, split="train"):
        self.name, self.lang = name, name[:2]
        self.kind, self.split, self.frames, self.labels = "mail", split, [], []
        self.clash = []

    def read(self, path):
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                line = line.strip()
                if not line or line.startswith("#"):
                    continue
                key, _, rest = line.partition(" ")
                rest = rest.strip()
                if key == "kind":
                    self.kind = rest
                elif key == "split":
                    self.split = rest
                elif key == "clash":
                    self.clash += rest.split()
                elif key == "frame":
                    self.frames.append(rest)
                elif key == "n":
                    self.labels.append(Label([n.strip() for n in rest.split("|")], self))
                elif key == "d":
                    self.labels[-1].defs.append(rest)
                elif key == "k":
                    self.labels[-1].words += [w.strip() for w in rest.split(",") if w.strip()]
                elif key == "m":
                    self.labels[-1].msgs.append(rest)
                else:
                    raise ValueError(f"{path}:{number}: unknown line: {line}")
        return self


_sets = None


def sets():
    global _sets
    if _sets is None:
        _sets = [Set(n[:-4]).read(os.path.join(FOLDER, n)) for n in sorted(os.listdir(FOLDER)) if n.endswith(".txt")]
    return _sets


# ---------------------------------------------------------------- small vocabulary, by position: train ... valid, test

GREET = {
    "en": ["Hello,", "Hi,", "Hi there,", "Good morning,", "Dear Sir or Madam,", "Dear team,", "Dear {org} team,", "Good afternoon,",
           "Hey,", "To whom it may concern,", "Morning all,", "Dear all,", "hello", "hi", "Hi {first},", "Dear {person},",
           "Good day,", "Hello again,", "Dear {first},", "Good evening,"],
    "de": ["Hallo,", "Guten Tag,", "Sehr geehrte Damen und Herren,", "Guten Morgen,", "Liebes Team,", "Moin,", "Grüß Gott,",
           "Hallo zusammen,", "Hallo {first},", "Guten Abend,", "hallo", "Servus,", "Werte Damen und Herren,", "Hi,", "Grüezi,",
           "Guten Tag zusammen,", "Liebe Leute,", "Hallo liebes Team,", "Schönen guten Tag,", "Liebe {first},"],
}
BYE = {
    "en": ["Best regards\n{person}", "Kind regards,\n{person}", "Regards, {first}", "{first}", "{person}", "Yours sincerely,\n{person}",
           "Cheers\n{first}", "- {first}", "Best, {first}", "{person}\n{phone}", "Sincerely\n{person}\n{org}", "Many regards\n{first} {last}",
           "Sent from my phone", "Yours faithfully\n{person}", "All the best\n{first}", "With kind regards\n{person}\n{city}"],
    "de": ["Mit freundlichen Grüßen\n{person}", "Viele Grüße\n{person}", "Gruß, {first}", "MfG {person}", "Beste Grüße\n{first} {last}",
           "{person}", "{first}", "Freundliche Grüße\n{person}\n{org}", "LG {first}", "Schöne Grüße aus {city}\n{person}",
           "Hochachtungsvoll\n{person}", "{person}\nTel. {phone}", "Von unterwegs gesendet", "Herzliche Grüße\n{person}",
           "Es grüßt\n{person}", "Mit besten Grüßen\n{person}, {city}"],
}
# neutral sentences that fit any mail to an office
BEFORE = {
    "en": ["I hope you are well.", "My name is {person}.", "I am writing to you because of the following.", "We spoke on {weekday}.",
           "I tried to call but nobody picked up.", "Just a short message today.", "My reference is {id}.", "I have been with you since {year}.",
           "It is about this:", "I am writing on behalf of my [mother|father|neighbour|sister|boss].", "Sorry for the long silence.",
           "I was given this address by {person}.", "Not sure whether this is the right address.", "One more thing.", "Please pass this on to whoever is in charge.",
           "I am a customer from {city}.", "Following up on my call on {weekday}:", "I have one point only."],
    "de": ["ich hoffe, es geht Ihnen gut.", "mein Name ist {person}.", "ich schreibe Ihnen aus folgendem Grund.", "wir hatten am {weekday} telefoniert.",
           "telefonisch habe ich leider niemanden erreicht.", "nur kurz:", "mein Zeichen ist {id}.", "ich bin seit {year} bei Ihnen.",
           "es geht um Folgendes:", "ich schreibe im Auftrag [meiner Mutter|meines Vaters|meiner Nachbarin|meines Chefs].", "entschuldigen Sie die späte Nachricht.",
           "Ihre Adresse habe ich von {person}.", "ich weiß nicht, ob ich hier richtig bin.", "noch eine Sache.", "bitte leiten Sie das weiter, falls jemand anders zuständig ist.",
           "ich wohne in {city}.", "wie am {weekday} besprochen:", "ich habe nur einen Punkt."],
}
AFTER = {
    "en": ["You can reach me at {phone}.", "Please reply by email.", "I am at home until {time}.", "Looking forward to hearing from you.", "Please let me know.",
           "My number is {phone}.", "I will be away from {date}.", "Please answer to {email}.", "That is all for now.", "My reference: {id}",
           "I look forward to your answer.", "Best to call after {time}."],
    "de": ["Sie erreichen mich unter {phone}.", "Bitte antworten Sie per E-Mail.", "Ich bin bis {time} zu Hause.", "Ich freue mich auf Ihre Nachricht.", "Bitte geben Sie mir Bescheid.",
           "Meine Nummer: {phone}", "Ab dem {date} bin ich verreist.", "Antwort bitte an {email}.", "Das war es schon.", "Mein Zeichen: {id}",
           "Ich erwarte Ihre Antwort.", "Am besten nach {time} anrufen."],
}
SUBJECT = {
    "en": ["Subject: {s}", "Re: {s}", "Subject: {s}", "FW: {s}", "Subject: Re: {s}", "AW: {s}", "Subject line: {s}"],
    "de": ["Betreff: {s}", "AW: {s}", "Betreff: {s}", "WG: {s}", "Betr.: {s}", "Re: {s}", "Betreffzeile: {s}"],
}
BLAND = {
    "en": ["message from {person}", "{id}", "your customer {number}", "a short note", "{person}", "hello", "our call on {weekday}", "message via the website", "from {city}", "contact form"],
    "de": ["Nachricht von {person}", "{id}", "Kundennummer {number}", "kurze Nachricht", "{person}", "Hallo", "unser Gespräch am {weekday}", "Nachricht über die Website", "aus {city}", "Kontaktformular"],
}
# longer neutral padding, before or after the point
PAD = {
    "en": ["It took me a while to find the right address, and I hope that this reaches somebody who can deal with it.",
           "I know that you have a lot on your plate at the moment, so I will try to keep it short.",
           "My colleague told me to put it in writing, which is what I am doing now.",
           "I am writing this in the train on my way to {city}, so please excuse any mistakes.",
           "My {weekday}s are busy, but otherwise I can be reached on {phone} until {time}.",
           "This message is meant for the addressee only; if you have received it by mistake, please delete it.",
           "{org}, {street}, {city}. Please think of the environment before you print this mail.",
           "As I am not often at the computer, an answer may take me a day or two.",
           "I have put {person} in copy, who knows about everything.",
           "If you have anything to ask, {person} is in the picture as well.",
           "I wrote to {email} first, but that mail came back to me.",
           "You will find my details at the bottom of this message as usual."],
    "de": ["Es hat eine Weile gedauert, bis ich die richtige Adresse gefunden habe, und ich hoffe, dass dies bei jemandem ankommt, der sich darum kümmern kann.",
           "Ich weiß, dass Sie zurzeit viel um die Ohren haben, deshalb fasse ich mich kurz.",
           "Meine Kollegin meinte, ich solle es schriftlich machen, was ich hiermit tue.",
           "Ich schreibe das im Zug nach {city}, bitte entschuldigen Sie etwaige Fehler.",
           "Am {weekday} bin ich schlecht zu erreichen, sonst unter {phone} bis {time}.",
           "Diese Nachricht ist nur für den Empfänger bestimmt; falls Sie sie irrtümlich erhalten haben, löschen Sie sie bitte.",
           "{org}, {street}, {city}. Bitte denken Sie an die Umwelt, bevor Sie diese Mail drucken.",
           "Da ich selten am Rechner sitze, dauert meine Antwort manchmal ein, zwei Tage.",
           "{person} weiß über alles Bescheid und liest in Kopie mit.",
           "Bei Rückfragen kann Ihnen auch {person} weiterhelfen.",
           "Zuerst hatte ich an {email} geschrieben, aber die Mail kam zurück.",
           "Meine Angaben finden Sie wie immer am Ende dieser Nachricht."],
}
JOIN = {
    "en": [" ", " ", " ", " Also: ", " And another thing: ", "\n", " - ", " Apart from that: "],
    "de": [" ", " ", " ", " Außerdem: ", " Und noch etwas: ", "\n", " – ", " Davon abgesehen: "],
}
KFRAME = {  # messages that are hardly more than a keyword
    "en": ["Subject: {k}", "Question about {k}", "{k}??", "Quick note re {k}. Please call me back.", "Please call me back about {k}.", "It is about {k}.",
           "I have something to discuss with you: {k}.", "Caller: {person}. Topic: {k}.", "Phone note, {time}: {person} rang, {k}, call back {phone}",
           "Keyword: {k}", "{person} was here in person. It was about {k}.", "Who can I talk to about {k}?", "Voicemail from {phone}: about {k}, please ring back.",
           "Note for the file: {k}", "Regarding {k}: please get in touch."],
    "de": ["Betreff: {k}", "Thema: {k}", "{k}??", "Stichwort {k} – bitte um Rückruf.", "Es geht um Folgendes: {k}.", "Anruf von {person}, Thema: {k}.",
           "Telefonnotiz, {time}: {person}, {k}, Rückruf unter {phone}", "Mein Anliegen: {k}", "{person} war persönlich da. Anliegen: {k}.", "Wer ist bei Ihnen dafür zuständig: {k}?",
           "{k}, bitte melden Sie sich bei mir.", "Anrufbeantworter, {phone}: {k}, bittet um Rückruf.", "Für die Akte: {k}", "Zum Thema {k} bitte anrufen."],
}
KDEF = {  # definitions made of keywords
    "en": ["{k}, {l}, {m}", "about {k}, {l} and the like", "anything to do with {k} or {l}", "for example {k}, {l} or {m}", "{k}; {l}; {m}; {o}", "{k}, {l} and so on",
           "topics such as {k} and {l}", "such as {k}, {l}", "cases like {k} or {l}"],
    "de": ["{k}, {l}, {m}", "z. B. {k}, {l} und Ähnliches", "alles zu den Stichworten {k}, {l}", "zum Beispiel {k}, {l} oder {m}", "{k}; {l}; {m}; {o}", "{k}, {l} usw.",
           "Themen wie {k}, {l}", "etwa {k}, {l}", "Fälle wie {k}, {l}"],
}
NOTABOUT = {
    "en": ["This time it is not about {k}.", "(Not about {k}!)", "No, this is not about {k} again.", "My earlier message about {k} is settled, this is something else.",
           "Please do not file this under {k}.", "The matter of {k} is closed. Today something new:"],
    "de": ["Diesmal geht es nicht um das Thema „{k}“.", "(Hat nichts zu tun mit: {k})", "Das Thema „{k}“ ist erledigt, heute geht es um etwas anderes.",
           "Bitte nicht unter „{k}“ ablegen.", "Meine frühere Nachricht ({k}) hat sich erledigt, nun etwas Neues:", "Das Thema „{k}“ ist vom Tisch. Heute etwas Neues:"],
}
OTHER = {
    "en": [("other", "none of these"), ("other", "fits none of the labels above"), ("none", "no label fits"), ("misc", "everything else"), ("something else", "any other subject"),
           ("unclear", "does not belong to any of these"), ("no match", "anything not covered here"), ("general", "all remaining messages"), ("other_topic", "a different matter"),
           ("rest", "what fits nowhere else"), ("miscellaneous", "not one of the other labels")],
    "de": [("Sonstiges", "nichts davon"), ("sonstiges", "passt zu keinem der anderen Labels"), ("andere", "alles Übrige"), ("keines", "kein Label passt"), ("anderes Thema", "ein ganz anderes Thema"),
           ("Rest", "was sonst nirgends hingehört"), ("unklar", "gehört zu keiner der Gruppen"), ("allgemein", "alle übrigen Nachrichten"), ("nichts_davon", "nicht aufgeführt"),
           ("übrige", "was oben nicht vorkommt"), ("Verschiedenes", "keine der anderen Gruppen")],
}


# Sentences of made-up sets: what they are about says one of the label's words, and nothing else does.
ABOUT = {
    "en": ["I have a question about the {k}.", "Our {k} has gone missing.", "Could somebody look at the {k}, please?", "The {k} arrived this morning.", "We need another {k} by {weekday}.",
           "Is the {k} still available?", "I would like to talk to somebody about the {k}.", "Nobody here knows what to do with the {k}.", "My neighbour asked me about the {k}.",
           "There is something wrong with the {k}, I think.", "Thank you for the {k}!", "When can the {k} be collected?", "The photo shows a {k}.", "Yesterday I saw a {k} in {city}.",
           "Please send me the papers for the {k}.", "{person} told me that the {k} was yours.", "It all began with a {k}.", "The {k} cost {money}, which seems a lot."],
    "de": ["Ich habe eine Frage zu: {k}.", "Bei uns fehlt etwas, nämlich {k}.", "Kann sich bitte jemand um {k} kümmern?", "Heute früh kam {k} an.", "Wir brauchen noch einmal {k} bis {weekday}.",
           "Gibt es {k} noch?", "Ich möchte mit jemandem über {k} sprechen.", "Hier weiß niemand, wohin mit {k}.", "Meine Nachbarin hat mich nach {k} gefragt.",
           "Mit {k} stimmt etwas nicht, glaube ich.", "Danke für {k}!", "Wann kann ich {k} abholen?", "Auf dem Bild sieht man {k}.", "Gestern habe ich in {city} {k} gesehen.",
           "Bitte schicken Sie mir die Unterlagen für {k}.", "{person} sagte mir, {k} gehöre Ihnen.", "Angefangen hat alles mit {k}.", "{k} für {money}, das kommt mir teuer vor."],
}
LISTED = {
    "en": ["{w}", "anything about {w}", "{w} and the like", "to do with {w}", "cases of {w}", "whatever concerns {w}"],
    "de": ["{w}", "alles über {w}", "{w} und dergleichen", "hat zu tun mit: {w}", "Fälle von {w}", "was {w} betrifft"],
}
THINGS = ("thing", "animal", "job", "food", "material", "color", "dept", "word")


def made_up(rng, lang, split):
    """A set whose labels are told apart by the words of their definitions alone: matching has to be learned by itself."""
    s = Set(f"{lang}_made_up", split)
    s.clash = ["*"]
    s.frames = part(ABOUT[lang], split)
    used = set()

    def word():
        for _ in range(50):
            w = value(rng, rng.choice(THINGS), lang, split)
            if w.lower() not in used:
                break
        used.add(w.lower())
        return w

    for _ in range(rng.randint(3, 8)):
        label = Label([], s)
        label.words = [word() for _ in range(rng.randint(1, 4))]
        joint = rng.choice((", ", "; ", " or " if lang == "en" else " oder "))
        label.defs = [pick(rng, LISTED[lang], split).replace("{w}", joint.join(label.words))]
        label.names = [rng.choice((word(), label.words[0]))]
        s.labels.append(label)
    return s


def part(items, split):
    """The part of a list that a split may use: the last of it is for test, what stands before that for valid."""
    n = max(1, len(items) // 10)
    return items[-n:] if split == "test" else items[-2 * n:-n] if split == "valid" else items[:-2 * n]


def pick(rng, items, split):
    return rng.choice(part(items, split))


def value(rng, kind, lang, split):
    if slots is None:
        return {"weekday": "Monday" if lang == "en" else "Montag"}.get(kind, kind)
    return slots.value(rng, kind, lang, split)


_alt = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")
_slot = re.compile(r"\{(\w+)\}")
_word = re.compile(r"[^\W\d_]{5,}")


def fill(rng, text, lang, split, words=None):
    text = _alt.sub(lambda m: rng.choice(m.group(1).split("|")), text)

    def slot(m):
        if m.group(1) == "k":
            return fill(rng, rng.choice(words), lang, split)
        return value(rng, m.group(1), lang, split)

    return _slot.sub(slot, text)


def upper_first(text):
    return text[:1].upper() + text[1:]


def typos(rng, text, n):
    """Slips of the keyboard in letters inside of longer words."""
    for _ in range(n):
        words = list(_word.finditer(text))
        if not words:
            return text
        m = rng.choice(words)
        w = m.group(0)
        i = rng.randrange(1, len(w) - 2)
        how = rng.randrange(4)
        if how == 0:
            w = w[:i] + w[i + 1] + w[i] + w[i + 2:]
        elif how == 1:
            w = w[:i] + w[i + 1:]
        elif how == 2:
            w = w[:i] + w[i] + w[i:]
        else:
            w = w[:i] + rng.choice("aeinrst") + w[i + 1:]
        text = text[:m.start()] + w + text[m.end():]
    return text


def message(rng, label, split):
    """A message that belongs to a label."""
    s = label.set
    lang = s.lang
    frames = list(s.frames) if label.words else []
    r = rng.random()
    bare = False
    if frames and (r < 0.4 or not label.msgs):
        text = fill(rng, rng.choice(frames), lang, split, label.words)
    elif s.kind == "mail" and label.words and r < 0.13:
        text = fill(rng, pick(rng, KFRAME[lang], split), lang, split, label.words)
        bare = True
    else:
        first = rng.choice(label.msgs)
        text = fill(rng, first, lang, split, label.words)
        if rng.random() < 0.2:  # two of them
            second = rng.choice(label.msgs)
            more = fill(rng, second, lang, split, label.words)
            if second != first:
                link = rng.choice(JOIN[lang]) if s.kind != "style" else " "
                text = text + ("" if text[-1] in ".!?" else ".") + link + more
    text = upper_first(text) if not text[:1].islower() or rng.random() < 0.5 else text
    if s.kind == "topic":
        r = rng.random()
        if r < 0.05:
            text = text.lower()
        elif r < 0.12:
            text = typos(rng, text, rng.randint(1, 2))
        return text
    if s.name.endswith(("_language", "_sprache")):
        return text
    get = lambda table: fill(rng, pick(rng, table[lang], split), lang, split)
    if s.kind == "mail" and not bare and rng.random() < 0.05:
        others = [l for l in s.labels if l is not label and l.words]
        if others:
            text = fill(rng, pick(rng, NOTABOUT[lang], split), lang, split, rng.choice(others).words) + " " + upper_first(text)
    if bare:
        return typos(rng, text, 1) if rng.random() < 0.1 else text
    plain = s.kind == "style"
    greet = rng.random() < (0.2 if plain else 0.42)
    before = not plain and rng.random() < 0.2
    if before:
        text = get(BEFORE) + " " + upper_first(text)
    if not plain and rng.random() < 0.2:
        text = (text if text[-1] in ".!?…" else text + ".") + " " + get(AFTER)
    if not plain and rng.random() < 0.22:
        pad = get(PAD)
        if rng.random() < 0.3:
            text = pad + " " + upper_first(text)
        else:
            text = (text if text[-1] in ".!?…" else text + ".") + " " + pad
    if rng.random() < 0.08:
        text = text.lower()
    if rng.random() < 0.13:
        text = typos(rng, text, rng.randint(1, 3))
    if greet:
        g = get(GREET)
        if lang == "de" and before:
            text = g + ("\n" if rng.random() < 0.6 else " ") + text
        else:
            text = g + rng.choice(["\n", "\n\n", " "]) + (text if lang == "de" else upper_first(text))
    else:
        text = upper_first(text) if rng.random() < 0.9 else text
    if rng.random() < (0.15 if plain else 0.35):
        text += rng.choice(["\n", "\n\n"]) + get(BYE)
    if rng.random() < (0.03 if plain else 0.12):
        subject = get(BLAND)
        if label.words and not plain and rng.random() < 0.5:
            subject = fill(rng, rng.choice(label.words), lang, split)
        text = pick(rng, SUBJECT[lang], split).format(s=subject) + "\n\n" + text
    return text


def definition(rng, label, split, style):
    lang = label.set.lang
    if rng.random() < 0.25:
        style = rng.random()
    d = fill(rng, rng.choice(label.defs), lang, split, label.words)
    if len(label.words) >= 5:
        k, l, m, o = (fill(rng, w, lang, split) for w in rng.sample(label.words, 4))
        if style < 0.17:
            return pick(rng, KDEF[lang], split).format(k=k, l=l, m=m, o=o)
        if style < 0.32:
            how = rng.randrange(3)
            eg = ("e.g. " if lang == "en" else "z. B. ")
            return d + (f" ({eg}{k}, {l})", f", {eg}{k}", f" ({k}, {l}, {m})")[how]
    return d


_latin = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


def restyle(name, style):
    words = [w for w in re.split(r"[ _/\-]+", name) if w]
    if style == "snake":
        return "_".join(words).lower()
    if style == "ascii":
        return "_".join(words).lower().translate(_latin)
    if style == "kebab":
        return "-".join(words).lower()
    if style == "upper":
        return "_".join(words).upper().replace("ß", "SS")
    if style == "title":
        return upper_first(" ".join(words))
    if style == "camel":
        return "".join(upper_first(w) for w in words).translate(_latin)
    return name


CONS, VOWS = "bdfgklmnprstvz", "aeiou"


def codes(rng, n):
    """Names that mean nothing."""
    how = rng.randrange(8)
    if how == 0:
        out = [chr(65 + i) for i in range(n)]
    elif how == 1:
        out = [str(i + 1) for i in range(n)]
    elif how == 2:
        c = rng.choice("KTLXQCRG")
        out = [f"{c}{i + 1}" for i in range(n)]
    elif how == 3:
        c = rng.choice(["label_", "class-", "group ", "cat", "topic_", "tray ", "queue-", "Gruppe ", "Fach "])
        out = [f"{c}{i + 1}" for i in range(n)]
    elif how == 4:
        out = rng.sample([chr(97 + i) for i in range(26)], n)
    elif how == 5:
        out = [str(x) for x in rng.sample(range(10, 100), n)]
    elif how == 6:
        out = [f"{chr(65 + rng.randrange(26))}{x}" for x in rng.sample(range(100, 1000), n)]
    else:
        out = []
        while len(out) < n:
            w = "".join(rng.choice(CONS) + rng.choice(VOWS) for _ in range(rng.randint(1, 2))) + rng.choice(CONS)
            if w not in out:
                out.append(w)
    if rng.random() < 0.5:
        rng.shuffle(out)
    return out


@functools.cache
def telling(lang):
    """The words of each label that few others have."""
    words = {l: {w.lower() for x in l.msgs + l.words for w in _word.findall(x)} for s in sets() if s.lang == lang for l in s.labels}
    labels = collections.Counter(w for own in words.values() for w in own)
    return {l: {w for w in own if labels[w] <= 6} for l, own in words.items()}


def hinted(rng, meaning, label, text):
    """A label's meaning, with a word of this text as well: such words are learned to count before others."""
    words = [w for w in _word.findall(text) if w.lower() in telling(label.set.lang).get(label, ())]
    if not words:
        return meaning
    hint = rng.choice(words)
    return f"{meaning}{rng.choice((', ', '; ', ' / ', ' – '))}{hint}" if meaning else hint


def apart(s, t):
    """Whether messages of one set fit no label of the other."""
    return not any("*" in a.clash or b.name[3:] in a.clash for a, b in ((s, t), (t, s)))


def make(rng: random.Random, lang: str, split: str) -> dict:
    pool = [s for s in sets() if s.lang == lang and s.split == split]
    alone = split == "train" and rng.random() < 0.25
    s = made_up(rng, lang, split) if alone else rng.choice(pool)
    n = rng.choice([2, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 7, 8])
    mates = [t for t in pool if t.kind != s.kind and "style" not in (s.kind, t.kind) and apart(s, t)]
    mixed = bool(mates) and rng.random() < 0.08
    if mixed:  # labels of two sets of different kinds
        t = rng.choice(mates)
        a = max(1, n // 2)
        labels = rng.sample(s.labels, min(a, len(s.labels))) + rng.sample(t.labels, min(n - a, len(t.labels)))
    else:
        labels = rng.sample(s.labels, min(n, len(s.labels)))
    rng.shuffle(labels)

    # messages of the label "other": of labels that were left out, or of sets of another kind
    left = [l for l in s.labels if l not in labels] if not mixed else []
    strangers = left * 2 + [l for t in mates if not mixed for l in t.labels]
    other = bool(strangers) and rng.random() < 0.17 and s.kind != "style"
    if other and len(labels) > 7:
        labels.pop()

    r = rng.random()
    mode = "codes" if r < 0.17 else "names" if r < 0.36 and not alone else "both"
    size = len(labels)
    if mode == "codes":
        names = codes(rng, size + 1)
    else:
        style = rng.choice(["", "", "", "", "snake", "snake", "ascii", "kebab", "upper", "title", "title", "camel"])
        names = []
        for l in labels:
            options = [x for x in (restyle(n, style) for n in l.names) if x not in names]
            names.append(rng.choice(options) if options else l.names[0] + str(len(names)))
    dstyle = rng.random()
    fullstop, capital = rng.random() < 0.15, rng.random() < 0.3
    lines = []

    def line(name, d):
        """A label's name and meaning, which may be empty."""
        if mode == "names" or (mode == "both" and rng.random() < 0.02):
            return name, ""
        if capital:
            d = upper_first(d)
        if fullstop and d[-1] not in ".!?":
            d += "."
        return name, d

    for name, l in zip(names, labels):
        lines.append(line(name, definition(rng, l, split, dstyle)))
    other_name = None
    if other:
        other_name, d = pick(rng, OTHER[lang], split)
        if mode == "codes":
            other_name = names[size]
        elif style in ("snake", "kebab", "upper", "title"):
            other_name = restyle(other_name, style)
        lines.append(line(other_name, d))
        if rng.random() < 0.3:
            rng.shuffle(lines)

    turns = rng.choice([2, 3, 3, 4, 5, 6]) if split == "train" else 1
    asked, seen = [], []
    for _ in range(turns):
        for _ in range(4):
            if other and rng.random() < 0.3:
                l, answer = rng.choice(strangers), other_name
            else:
                i = rng.randrange(size)
                l, answer = labels[i], names[i]
            text = message(rng, l, split)
            if text not in seen:
                break
        seen.append(text)
        asked.append((l, text, answer))
    if split == "train" and not alone and rng.random() < 0.5:
        said = {name: (l, rng.choice(l.msgs)) for name, l in zip(names, labels) if l.msgs}
        said |= {answer: (l, text) for l, text, answer in asked if answer != other_name}
        lines = [(name, hinted(rng, meaning, *said[name]) if name in said else meaning) for name, meaning in lines]
    told = "\n".join(f"- {meaning}: {name}" if meaning else f"- {name}" for name, meaning in lines)
    messages = []
    for _, text, answer in asked:
        head = "" if messages else f"{HEAD}{told}\n\n"
        messages.append({"role": "user", "content": head + "Message:\n" + text})
        messages.append({"role": "assistant", "content": answer})
    return {"task": "classify", "lang": lang, "messages": messages}


def check():
    """What is thin or doubled in the label files."""
    for s in sets():
        if not 4 <= len(s.labels) <= 9:
            print(f"{s.name}: {len(s.labels)} labels")
        if s.kind not in ("mail", "topic", "style") or s.split not in ("train", "valid", "test"):
            print(f"{s.name}: kind {s.kind}, split {s.split}")
        seen = {}
        for l in s.labels:
            if len(l.names) < 3 or len(l.defs) < 4 or len(l.msgs) + (len(l.words) // 2 if s.frames else 0) < 10:
                print(f"{s.name}: {l.names[0]}: {len(l.names)} names, {len(l.defs)} definitions, {len(l.msgs)} messages")
            if s.frames and len(l.words) < 5:
                print(f"{s.name}: {l.names[0]}: {len(l.words)} keywords")
            for x in l.names + l.words + l.msgs:
                if seen.setdefault(x.lower(), l) is not l:
                    print(f"{s.name}: in two labels: {x}")
            for x in l.defs + l.msgs + s.frames:
                rest = _alt.sub("", x)
                if re.search(r"[\[\]|]", rest) or rest.count("{") != rest.count("}"):
                    print(f"{s.name}: brackets: {x}")


def main():
    import sys
    check()
    for lang in ("en", "de"):
        for split in ("train", "valid", "test"):
            some = [s for s in sets() if s.lang == lang and s.split == split]
            print(f"{lang} {split}: {len(some)} sets, {sum(len(s.labels) for s in some)} labels, "
                  f"{sum(len(l.msgs) for s in some for l in s.labels)} messages")
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    for i in range(count):
        rng = random.Random(seed * 1000 + i)
        lang, split = ("en", "de")[i % 2], ("train", "train", "valid", "test")[i // 2 % 4]
        got = make(rng, lang, split)
        print(f"==================== {i} {lang} {split}")
        for m in got["messages"]:
            print(m["content"] if m["role"] == "user" else ">>> " + m["content"])


if __name__ == "__main__":
    main()
