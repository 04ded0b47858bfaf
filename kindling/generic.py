"""Facts of no particular field: properties, deeds and tables with words of any kind, so that a
question is matched with a sentence by its words alone, known or never heard."""

import facts
import later
import slots

# ---- Properties: "The colour of the X is Y." German ones with their article.

ATTRIBUTES = {
    "en": slots.words(
        """price weight height colour owner author founder director capital area length width depth manufacturer deadline
        budget purpose location origin address password code model size duration age title motto speed capacity range
        entrance_fee starting_point goal main_ingredient serial_number order_number order_date delivery_date due_date
        account_number contact_person phone_number customer_number room_number opening_time closing_time warranty_period
        monthly_rent deposit surface power_consumption temperature voltage pressure yield population mayor patron headquarters
        turnover profit workforce membership_fee minimum_age maximum_load shelf_life storage_place melting_point
        best_player coach trainer tutor supervisor deputy chairman treasurer secretary caretaker architect designer painter
        composer translator publisher editor sponsor supplier insurer bank tenant landlord buyer seller driver pilot
        departure_time arrival_time platform gate seat terminal flight_number track connection fare destination
        dose side_effect cause symptom remedy diet habitat enemy wingspan life_span colour_of_the_roof spare_part
        cleaning_interval test_result grade pass_mark subject teacher classroom course_fee number_of_seats licence_fee
        version release_date licence default_setting file_name server port user_name backup_time reference tax_rate discount
        surcharge balance invoice_total net_amount gross_amount shipping_cost carrier tracking_number parcel_size meeting_place
        agenda decision result winner prize record favourite_dish nickname hobby profession birthplace native_language""",
    ),
    "de": [
        tuple(x.split(":"))
        for x in slots.words(
            """der:Preis das:Gewicht die:Höhe die:Farbe der:Besitzer die:Autorin der:Gründer die:Leiterin die:Hauptstadt die:Fläche
            die:Länge die:Breite die:Tiefe der:Hersteller die:Frist das:Budget der:Zweck der:Standort die:Herkunft die:Anschrift
            das:Passwort der:Code das:Modell die:Größe die:Dauer das:Alter der:Titel das:Motto die:Geschwindigkeit
            das:Fassungsvermögen die:Reichweite der:Eintrittspreis der:Startpunkt das:Ziel die:Hauptzutat die:Seriennummer
            die:Bestellnummer das:Bestelldatum das:Lieferdatum der:Fälligkeitstag die:Kontonummer die:Ansprechpartnerin
            die:Telefonnummer die:Kundennummer die:Zimmernummer die:Öffnungszeit die:Schließzeit die:Garantiezeit
            die:Monatsmiete die:Kaution die:Oberfläche der:Stromverbrauch die:Temperatur die:Spannung der:Druck der:Ertrag
            die:Einwohnerzahl die:Bürgermeisterin der:Hauptsitz der:Umsatz der:Gewinn die:Belegschaft der:Mitgliedsbeitrag
            das:Mindestalter die:Höchstlast die:Haltbarkeit der:Lagerort der:Schmelzpunkt die:Trainerin der:Betreuer
            die:Stellvertreterin der:Vorsitzende die:Kassenwartin der:Schriftführer der:Hausmeister die:Architektin
            der:Gestalter die:Malerin der:Komponist die:Übersetzerin der:Verlag der:Sponsor der:Lieferant der:Versicherer
            die:Bank der:Mieter die:Vermieterin der:Käufer die:Verkäuferin der:Fahrer die:Pilotin die:Abfahrtszeit
            die:Ankunftszeit das:Gleis der:Sitzplatz die:Flugnummer die:Verbindung der:Fahrpreis das:Reiseziel die:Dosis
            die:Nebenwirkung die:Ursache das:Symptom das:Gegenmittel die:Nahrung der:Lebensraum die:Flügelspannweite
            die:Lebensdauer das:Ersatzteil der:Reinigungsabstand das:Prüfergebnis die:Note das:Fach die:Lehrerin das:Klassenzimmer
            die:Kursgebühr die:Platzzahl die:Version das:Erscheinungsdatum die:Lizenz die:Voreinstellung der:Dateiname der:Server
            der:Benutzername das:Aktenzeichen der:Steuersatz der:Rabatt der:Zuschlag der:Kontostand der:Rechnungsbetrag
            der:Nettobetrag der:Bruttobetrag der:Spediteur die:Sendungsnummer die:Paketgröße der:Treffpunkt
            die:Tagesordnung der:Beschluss das:Ergebnis der:Sieger der:Preisträger der:Rekord das:Lieblingsgericht
            der:Spitzname das:Hobby der:Beruf der:Geburtsort die:Muttersprache die:Zählernummer der:Verbrauch""",
        )
    ],
}
WHICH = {"der": "Welcher", "die": "Welche", "das": "Welches"}
THE_BIG = {"der": "Der", "die": "Die", "das": "Das"}

PROPERTY = {
    "en": [
        "{e} comes with {v} as its {a}.", "The records of {e} show {v} under {a}.", "You will find {v} listed as {e}'s {a}.", "{v}: that is the {a} of {e}.",
        "If you ask about the {a} of {e}: it is {v}.", "{a} for {e} = {v}", "Concerning the {a} of {e}, the answer is {v}.", "What {e} has as its {a} is {v}.",
        "In the case of {e}, {v} serves as the {a}.", "The {a} of {e} was changed to {v}.", "Note on {e}: {a} now {v}.", "{e} ({a} {v})",
        "As for {e}, its {a} amounts to {v}.", "Our file says that {e} has {v} for its {a}.", "{e}; {a}; {v}", "The {a}, in the case of {e}, happens to be {v}.",
        "The {a} of {e} is {v}.", "{e} has the {a} {v}.", "{a}: {v} ({e})", "{e} – {a}: {v}", "For {e}, the {a} is {v}.",
        "{e}: its {a} is {v}.", "As {a} of {e} we have noted {v}.", "At {e} the {a} is {v}.", "{e}'s {a}: {v}",
        "According to the list, {v} is the {a} of {e}.", "{v} is given as the {a} of {e}.", "Regarding {e}: {a} {v}.",
        "The {a} given for {e} reads {v}.", "With {e}, please note the {a}: {v}.",
    ],
    "de": [
        "{e} hat als {n}: {v}.", "In den Unterlagen zu {e} steht {v} als {n}.", "{v}: so lautet {a} von {e}.", "Wer nach {n} von {e} fragt: {v}.",
        "{n} für {e} = {v}", "Was {n} von {e} betrifft, so heißt es {v}.", "Im Fall von {e} dient {v} als {n}.", "Neu bei {e}: {n} {v}.",
        "Hinweis zu {e}: {n} jetzt {v}.", "{e} ({n} {v})", "Unsere Akte nennt zu {e} als {n} {v}.", "{e}; {n}; {v}", "Vermerkt wurde {v} als {n} von {e}.",
        "{A} von {e} wurde auf {v} geändert.", "Man hat uns für {e} {v} als {n} gemeldet.", "{e} führt {v} als {n}.",
        "{A} von {e} ist {v}.", "{n} von {e}: {v}", "{e} – {n}: {v}", "Bei {e} ist {a} {v}.", "{e}: {n} {v}.",
        "Als {n} von {e} ist {v} eingetragen.", "Für {e} gilt: {n} {v}.", "{v} ist {a} von {e}.", "Laut Liste ist {v} {a} von {e}.",
        "{n} ({e}): {v}", "Bei {e} lautet {a} {v}.", "Zu {e} ist vermerkt: {n} {v}.", "Was {e} angeht, ist {a} {v}.", "{A} lautet bei {e} {v}.",
    ],
}
ASK_PROPERTY = {
    "en": [
        "Look up the {a} of {e}, please.", "{e}: what is its {a}?", "I'd like to know the {a} of {e}.", "What do the records show as the {a} of {e}?",
        "Do you happen to know {e}'s {a}?", "How about the {a} of {e}?", "And the {a} of {e}?", "what's listed as {a} for {e}", "{a} {e} please",
        "Could you tell me which {a} {e} has?", "The {a} for {e} is what?", "What was entered for {e} under {a}?",
        "Someone wants the {a} of {e}; what is it?",
        "What is the {a} of {e}?", "Which {a} does {e} have?", "What {a} is given for {e}?", "{e} {a}", "{a} of {e}?",
        "Tell me the {a} of {e}.", "What is {e}'s {a}?", "I need the {a} of {e}.", "Name the {a} of {e}.", "Can you find the {a} for {e}?",
        "What's the {a} at {e}?", "Please give me {e}'s {a}.",
    ],
    "de": [
        "Schau bitte {n} von {e} nach.", "{e}: {n}?", "Ich wüsste gern {n} von {e}.", "Was weisen die Unterlagen als {n} von {e} aus?", "Ist {n} von {e} bekannt?",
        "Und {n} von {e}?", "Was ist für {e} unter {n} vermerkt?", "Können Sie mir {n} von {e} sagen?", "{n} {e} bitte", "Zu {e} fehlt mir noch: {n}",
        "Jemand fragt nach {n} von {e}; was ist das?", "{W} {n} gehört zu {e}?", "Such {n} von {e} heraus.", "Was wurde bei {e} als {n} eingetragen?",
        "Was ist {a} von {e}?", "{W} {n} hat {e}?", "Wie lautet {a} von {e}?", "{n} {e}", "{n} von {e}?", "Nenne {n} von {e}.",
        "{W} {n} ist für {e} angegeben?", "Ich brauche {n} von {e}.", "Wie ist {a} bei {e}?", "{W} {n} gilt für {e}?",
        "Was steht als {n} bei {e}?", "Gib mir bitte {n} von {e}.",
    ],
}
# Where nothing but the property is named.
ALONE = {
    "en": (
        ["{a} = {v}", "{v} is what we use as the {a}.", "Please note the {a}: {v}.", "As the {a}, {v} has been chosen.", "There is also the {a}, namely {v}.", "The {a} was changed to {v}.", "For the {a}, see {v}.", "You asked about the {a}: {v}.", "{a}: now {v}", "The {a} turned out to be {v}.",
         "The {a} is {v}.", "{a}: {v}", "Our {a} is {v}.", "Its {a}: {v}", "We have set the {a} to {v}.", "{a} – {v}", "{v} is the {a}.", "The {a} remains {v}.", "The {a} will be {v}."],
        ["And the {a}?", "{a}, please", "I'd like to know the {a}.", "Look up the {a}.", "Do you know the {a}?", "what {a}", "Could you find the {a}?", "How about the {a}?", "What was noted as the {a}?",
         "What is the {a}?", "Which {a} is given?", "{a}?", "Tell me the {a}.", "What does the text say about the {a}?", "What is given as the {a}?", "What's the {a}?", "Which {a} does it say?"],
    ),
    "de": (
        ["{n} = {v}", "{v} dient als {n}.", "Bitte beachten: {n} {v}.", "Als {n} wurde {v} gewählt.", "Dazu kommt noch {a}, nämlich {v}.", "{A} wurde auf {v} geändert.", "Sie fragten nach {n}: {v}.", "{n}: jetzt {v}", "Unter {n} finden Sie {v}.", "Zu {n} ist zu sagen: {v}.",
         "{A} ist {v}.", "{n}: {v}", "{A} beträgt {v}.", "{n} – {v}", "Festgelegt ist: {n} {v}.", "{v} ist {a}.", "{A} bleibt {v}.", "{A} lautet {v}.", "Hier ist {a} {v}."],
        ["Und {n}?", "{n}, bitte", "Ich wüsste gern {n}.", "Schau {n} nach.", "Ist {n} bekannt?", "Können Sie {n} finden?", "Was wurde als {n} vermerkt?", "Wie steht es mit {n}?", "Such {n} heraus.",
         "Was ist {a}?", "{W} {n} ist angegeben?", "{n}?", "Wie lautet {a}?", "Was sagt der Text über {a}?", "Nenne {n}.", "Was steht als {n} da?", "{W} {n} gilt?"],
    ),
}
VALUES = ("person", "org", "city", "date", "money", "id", "number", "count", "percent", "time", "duration", "length", "weight",
          "color", "material", "product", "phone", "email", "word", "room", "temp", "area", "year", "street", "food", "language", "topic")


def attribute(rng, lang, split):
    """The forms in which a property is named."""
    if lang == "en":
        name = rng.choice(slots.part(ATTRIBUTES["en"], split))
        r = rng.random()
        if r < 0.15:
            name = slots.invented(rng, 1, 3)
        elif r < 0.3:
            name = f"{rng.choice(slots.part(MODIFIERS['en'], split))} {name}"
        return {"a": name, "key": name}
    article, name = rng.choice(slots.part(ATTRIBUTES["de"], split))
    r = rng.random()
    if r < 0.15:
        name = slots.invented(rng, 1, 3).capitalize()
    elif r < 0.3:
        name = rng.choice(slots.part(MODIFIERS["de"], split)) + name.lower()
    return {"a": f"{article} {name}", "n": name, "A": f"{THE_BIG[article]} {name}", "W": WHICH[article], "key": name}


MODIFIERS = {
    "en": slots.words("first second new old main internal average minimum maximum total current former planned official usual annual monthly final"),
    "de": slots.words("Haupt Neben Mindest Höchst Gesamt Durchschnitts Einzel Sonder Ersatz Jahres Monats Tages End Anfangs Sommer Winter Gruppen Muster"),
}


def entity(rng, lang, split):
    kind = rng.choice(("org", "person", "city", "product", "word", "thing", "last", "id"))
    name = slots.value(rng, kind, lang, split)
    if kind == "word":
        name = name.capitalize()
    if kind == "thing":
        name = f"the {name}" if lang == "en" else f"Modell {name}"
    return name


def first_up(text):
    return text[:1].upper() + text[1:]


def write(template, forms, **more):
    return first_up(template.format(**forms, **more))


def properties(rng, lang, split):
    """Several properties of one or of several things."""
    entities = list(dict.fromkeys(entity(rng, lang, split) for _ in range(rng.choice((1, 1, 2, 2, 3, 4)))))
    names = []
    while len(names) < rng.randint(2, 7):
        forms = attribute(rng, lang, split)
        if forms["key"] not in [n["key"] for n in names]:
            names.append(forms)
    pairs = [(e, n) for e in entities for n in names]
    rng.shuffle(pairs)
    present = pairs[: rng.randint(2, 9)]
    say, ask = facts.cut(PROPERTY[lang], split), facts.cut(ASK_PROPERTY[lang], split)
    lines, asked = [], []
    alone = len(entities) == 1 and rng.random() < 0.6
    if alone:
        say, ask = (facts.cut(x, split) for x in ALONE[lang])
    style = rng.choice(say) if rng.random() < 0.3 else None
    for e, n in present:
        v = slots.value(rng, rng.choice(VALUES), lang, split)
        lines.append(write(style or rng.choice(say), n, e=e, v=v))
        asked.append((write(rng.choice(ask), n, e=e), v))
    present_keys = {(e, n["key"]) for e, n in present}
    unanswered = []
    for _ in range(3):
        e = rng.choice(entities) if rng.random() < 0.7 else entity(rng, lang, split)
        n = rng.choice(names) if rng.random() < 0.4 and not alone else attribute(rng, lang, split)
        if (e, n["key"]) not in present_keys and (not alone or n["key"] not in [x["key"] for x in names]):
            unanswered.append((write(rng.choice(ask), n, e=e), "not in the text"))
    if alone and rng.random() < 0.7:
        lines.insert(0, heading(rng, lang, entities[0]))
    joint = rng.choice((" ", " ", "\n", "\n- ", "\n\n"))
    text = joint.join(end(line) if joint == " " else line for line in lines)
    return (f"- {text}" if joint == "\n- " else text), asked, unanswered


def heading(rng, lang, name):
    about = {"en": ("About {}", "{}", "Facts about {}", "Data sheet: {}", "# {}"), "de": ("Über {}", "{}", "Angaben zu {}", "Datenblatt: {}", "# {}")}
    return rng.choice(about[lang]).format(name) + rng.choice(("", ":"))


def end(line):
    return line if line[-1:] in ".!?:" else line + "."


# ---- Deeds: who did what, when, where, why, with what.

VERBS = {
    "en": [
        tuple(v.split("/"))
        for v in slots.words(
            """repair/repaired buy/bought sell/sold build/built paint/painted find/found lose/lost deliver/delivered order/ordered
            check/checked clean/cleaned open/opened close/closed move/moved sign/signed cancel/cancelled rent/rented return/returned
            replace/replaced measure/measured design/designed test/tested carry/carried hide/hidden drop/dropped borrow/borrowed
            lend/lent bring/brought take/taken catch/caught choose/chosen draw/drawn steal/stolen write/written break/broken
            install/installed remove/removed describe/described photograph/photographed weigh/weighed pack/packed unload/unloaded
            count/counted inspect/inspected praise/praised criticise/criticised restore/restored bless/blessed gobble/gobbled
            invent/invented discover/discovered mention/mentioned present/presented approve/approved reject/rejected donate/donated
            inherit/inherited label/labelled wash/washed fill/filled empty/emptied weld/welded polish/polished sharpen/sharpened""",
        )
    ],
    "de": [
        tuple(v.split("/"))
        for v in slots.words(
            """repariert kauft/gekauft verkauft baut/gebaut streicht/gestrichen findet/gefunden verliert/verloren liefert/geliefert
            bestellt prüft/geprüft reinigt/gereinigt öffnet/geöffnet schließt/geschlossen unterschreibt/unterschrieben
            storniert mietet/gemietet ersetzt misst/gemessen entwirft/entworfen testet/getestet trägt/getragen versteckt
            verleiht/verliehen bringt/gebracht nimmt/genommen fängt/gefangen wählt/gewählt zeichnet/gezeichnet stiehlt/gestohlen
            beschreibt/beschrieben zerbricht/zerbrochen entfernt fotografiert wiegt/gewogen verpackt zählt/gezählt lobt/gelobt
            kritisiert restauriert erfindet/erfunden entdeckt erwähnt genehmigt spendet/gespendet erbt/geerbt beschriftet
            wäscht/gewaschen füllt/gefüllt leert/geleert schweißt/geschweißt poliert schärft/geschärft""",
        )
    ],
}
REASONS = {
    "en": ["it was too old", "the customer asked for it", "there was no more room", "the rain came in", "a cable was damaged", "nobody else had time", "the law demands it", "it made strange noises",
           "the first attempt had failed", "the price had risen", "two screws were missing", "the inspection was near", "the neighbours complained", "it was a gift", "the old one leaked", "the guests arrived early"],
    "de": ["er zu alt war", "die Kundin darum bat", "kein Platz mehr war", "es hineinregnete", "ein Kabel beschädigt war", "sonst niemand Zeit hatte", "das Gesetz es verlangt", "es seltsame Geräusche gab",
           "der erste Versuch gescheitert war", "der Preis gestiegen war", "zwei Schrauben fehlten", "die Prüfung bevorstand", "die Nachbarn sich beschwerten", "es ein Geschenk war", "der alte undicht war", "die Gäste früh kamen"],
}
PLACES = {
    "en": ["in the cellar", "behind the shed", "at the harbour", "in the meeting room", "next to the gate", "on the roof", "in the museum", "near the old mill", "under the bridge", "at the main station",
           "in front of the town hall", "in the storeroom", "by the river", "on the top shelf", "in the second drawer", "outside the canteen"],
    "de": ["im Keller", "hinter dem Schuppen", "am Hafen", "im Besprechungsraum", "neben dem Tor", "auf dem Dach", "im Museum", "bei der alten Mühle", "unter der Brücke", "am Hauptbahnhof",
           "vor dem Rathaus", "im Lagerraum", "am Fluss", "im obersten Fach", "in der zweiten Schublade", "vor der Kantine"],
}
for lang in ("en", "de"):
    attributes, verbs = (slots.words(later.WORDS[name][lang]) for name in ("ATTRIBUTES", "VERBS"))
    ATTRIBUTES[lang] = slots.Growing(ATTRIBUTES[lang], attributes if lang == "en" else [tuple(x.split(":")) for x in attributes])
    VERBS[lang] = slots.Growing(VERBS[lang], [tuple(x.split("/")) for x in verbs])
    PLACES[lang], REASONS[lang] = slots.Growing(PLACES[lang], later.PLACES[lang]), slots.Growing(REASONS[lang], later.REASONS[lang])
DEED = {
    "en": [
        ("{p} was the one who {past} the {o}, {w}, on {d}.", "active"), ("Somebody {past} the {o} {w} on {d}: {p}.", "active"),
        ("{d} – {o} {past} {w} ({p})", "passive"), ("Thanks to {p}, the {o} got {past} {w} on {d}.", "passive"),
        ("The reason that {p} {past} the {o} {w} on {d}: {r}.", "why"), ("As {r}, the {o} had to be {past} {w}. {p} did it on {d}.", "why"),
        ("The {o} {w}? {p} {past} it on {d}.", "active"), ("On {d} came {p}, and the {o} was {past} {w}; {r}, that is why.", "why"),
        ("{p} {past} the {o} {w} on {d}.", "active"), ("On {d}, {p} {past} the {o} {w}.", "active"), ("The {o} was {past} by {p} {w} on {d}.", "passive"),
        ("{w_}, {p} {past} the {o} on {d} because {r}.", "why"), ("Because {r}, {p} {past} the {o} {w} on {d}.", "why"), ("The {o} was {past} {w} on {d} by {p}, since {r}.", "why"),
        ("It was {p} who {past} the {o} {w} on {d}.", "active"), ("{d}: {p} {past} the {o} {w}.", "active"), ("{d}: the {o}, {past} by {p} {w}.", "passive"), ("We know that {p} {past} the {o} {w} on {d} because {r}.", "why"),
    ],
    "de": [
        ("{p} war es, der {d_} {w} das Stück {o} {part} hat.", "active"), ("Jemand hat {d_} {w} das Stück {o} {part}: {p}.", "active"),
        ("{d} – Stück {o} {w} {part} ({p})", "passive"), ("Dank {p} wurde das Stück {o} {d_} {w} {part}.", "passive"),
        ("Der Grund, aus dem {p} {d_} {w} das Stück {o} {part} hat, ist, dass {r}.", "why"),
        ("Da {r}, musste das Stück {o} {w} {part} werden. Das hat {p} {d_} getan.", "why"), ("Das Stück {o} {w}? Das hat {p} {d_} {part}.", "active"),
        ("{p} hat {d_} {w} das Stück {o} {part}.", "active"), ("{D_} hat {p} {w} das Stück {o} {part}.", "active"), ("Das Stück {o} wurde {d_} {w} von {p} {part}.", "passive"),
        ("{w_} hat {p} {d_} das Stück {o} {part}, weil {r}.", "why"), ("Weil {r}, hat {p} {d_} {w} das Stück {o} {part}.", "why"), ("Das Stück {o} wurde {d_} {w} von {p} {part}, da {r}.", "why"),
        ("Es war {p}, von dem {d_} {w} das Stück {o} {part} wurde.", "passive"), ("{d}: {p} hat {w} das Stück {o} {part}.", "active"), ("{d}: Stück {o}, {w} von {p} {part}.", "passive"), ("Bekannt ist, dass {p} {d_} {w} das Stück {o} {part} hat, weil {r}.", "why"),
    ],
}
ASK_DEED = {
    "en": {
        "p": ["Whose work was it that the {o} was {past}?", "Somebody {past} the {o}; who?", "Tell me who {past} the {o}.", "Find out which person {past} the {o}.", "I wonder who {past} the {o}.",
              "Who {past} the {o}?", "By whom was the {o} {past}?", "Which person {past} the {o}?", "Name the person who {past} the {o}.", "who {past} {o}", "Do you know who {past} the {o}?", "The {o} was {past} by whom?"],
        "d": ["Since what date has the {o} been {past}?", "Give me the day on which the {o} was {past}.", "{o} {past} - date?", "How long ago, on what day, was the {o} {past}?", "Do you know when the {o} was {past}?",
              "When did {p} {verb} the {o}?", "When was the {o} {past}?", "On what date was the {o} {past}?", "On which day did {p} {verb} the {o}?", "when {o} {past}", "What date was the {o} {past} on?", "Since when is the {o} {past}?"],
        "w": ["In which spot was the {o} {past}?", "Tell me where the {o} was {past}.", "Whereabouts did {p} {verb} the {o}?", "{o} {past} - where?", "The {o} was {past} where?",
              "Where did {p} {verb} the {o}?", "Where was the {o} {past}?", "In what place was the {o} {past}?", "where {o} {past}", "Where did it happen that {p} {past} the {o}?", "At what place did {p} {verb} the {o}?"],
        "r": ["What made {p} {verb} the {o}?", "What was behind it that the {o} was {past}?", "why {o} {past}", "Tell me why {p} {past} the {o}.", "Can you explain why the {o} was {past}?",
              "Why did {p} {verb} the {o}?", "Why was the {o} {past}?", "For what reason was the {o} {past}?", "What was the reason that {p} {past} the {o}?", "How come the {o} was {past}?", "What led {p} to {verb} the {o}?"],
        "o": ["Tell me what {p} {past}.", "{p} {past} something {w}; what?", "What got {past} by {p}?", "Which item was {past} {w}?", "{p} {past} what?",
              "What did {p} {verb} {w}?", "What was {past} {w} on {d}?", "Which object did {p} {verb}?", "What did {p} {verb} on {d}?", "what {p} {past}", "Which thing was {past} by {p}?", "What was it that {p} {past}?"],
    },
    "de": {
        "p": ["Wessen Werk war es, dass das Stück {o} {part} wurde?", "Jemand hat das Stück {o} {part}; wer?", "Sag mir, wer das Stück {o} {part} hat.", "Ich wüsste gern, wer das Stück {o} {part} hat.", "{o} {part} - wer war das?",
              "Wer hat das Stück {o} {part}?", "Von wem wurde das Stück {o} {part}?", "Welche Person hat das Stück {o} {part}?", "Nenne die Person, von der das Stück {o} {part} wurde.", "wer hat {o} {part}", "Weißt du, wer das Stück {o} {part} hat?", "Das Stück {o} wurde von wem {part}?"],
        "d": ["Seit wann ist das Stück {o} {part}?", "Nenne den Tag, an dem das Stück {o} {part} wurde.", "{o} {part} - Datum?", "Weißt du, wann das Stück {o} {part} wurde?", "Wann war das, als {p} das Stück {o} {part} hat?",
              "Wann hat {p} das Stück {o} {part}?", "Wann wurde das Stück {o} {part}?", "An welchem Tag wurde das Stück {o} {part}?", "wann {o} {part}", "Zu welchem Datum hat {p} das Stück {o} {part}?", "An welchem Datum wurde das Stück {o} {part}?"],
        "w": ["An welchem Platz wurde das Stück {o} {part}?", "Sag mir, wo das Stück {o} {part} wurde.", "{o} {part} - wo?", "Das Stück {o} wurde wo {part}?", "Wo genau hat {p} das Stück {o} {part}?",
              "Wo hat {p} das Stück {o} {part}?", "Wo wurde das Stück {o} {part}?", "An welchem Ort wurde das Stück {o} {part}?", "wo {o} {part}", "Wo geschah es, dass {p} das Stück {o} {part} hat?", "An welcher Stelle wurde das Stück {o} {part}?"],
        "r": ["Was brachte {p} dazu, dass das Stück {o} {part} wurde?", "warum {o} {part}", "Sag mir, warum {p} das Stück {o} {part} hat.", "Kannst du erklären, weshalb das Stück {o} {part} wurde?", "Was steckt dahinter, dass das Stück {o} {part} wurde?",
              "Warum hat {p} das Stück {o} {part}?", "Weshalb wurde das Stück {o} {part}?", "Aus welchem Grund wurde das Stück {o} {part}?", "Wieso wurde das Stück {o} {part}?", "Was war der Grund, dass das Stück {o} {part} wurde?", "Was führte dazu, dass {p} das Stück {o} {part} hat?"],
        "o": ["Sag mir, was {p} {part} hat.", "{p} hat {w} etwas {part}; was?", "Welcher Gegenstand wurde {w} {part}?", "{p} hat was {part}?", "Was hat {p} da {part}?",
              "Was hat {p} {w} {part}?", "Was wurde {w} {part}?", "Welches Stück hat {p} {part}?", "was hat {p} {part}", "Was wurde von {p} {part}?", "Was war es, was {p} {part} hat?"],
    },
}


def deeds(rng, lang, split):
    """Who did what: several, so that they must be told apart."""
    lines, asked, gone, used = [], [], [], set()
    for _ in range(rng.randint(1, 5) + 1):
        verb = rng.choice(slots.part(VERBS[lang], split))
        deed = {
            "p": slots.value(rng, rng.choice(("person", "person", "first", "last", "org")), lang, split),
            "o": slots.value(rng, rng.choice(("thing", "thing", "product", "food")), lang, split),
            "d": slots.value(rng, "date" if rng.random() < 0.8 else "weekday", lang, split),
            "w": rng.choice(slots.part(PLACES[lang], split)),
            "r": rng.choice(slots.part(REASONS[lang], split)),
            "verb": verb[0], "past": verb[-1], "part": verb[-1],
        }
        if {deed["p"], deed["o"], deed["w"], deed["d"]} & used:
            continue
        used |= {deed["p"], deed["o"], deed["w"], deed["d"]}
        deed["w_"] = first_up(deed["w"])
        deed["d_"], deed["D_"] = f"am {deed['d']}", f"Am {deed['d']}"
        template, kind = rng.choice(facts.cut(DEED[lang], split))
        line = first_up(template.format(**deed))
        can = ["p", "d", "w", "o"] + (["r"] if kind == "why" else [])
        questions = [(first_up(rng.choice(facts.cut(ASK_DEED[lang][s], split)).format(**deed)), deed[s]) for s in can]
        if kind != "why":
            why = rng.choice(facts.cut(ASK_DEED[lang]["r"], split)).format(**deed)
            gone.append((first_up(why), "not in the text"))
        if lines and rng.random() < 0.2:
            gone += [(q, "not in the text") for q, _ in questions[:2]]
            continue
        lines.append(line)
        asked += [(q, first_up(a) if first_up(a) in line and a not in line else a) for q, a in questions]
    rng.shuffle(lines)
    return rng.choice((" ", " ", "\n", "\n\n")).join(lines), asked, gone


# ---- Tables: a row for each thing, a column for each property.

def table(rng, lang, split):
    columns = []
    while len(columns) < rng.randint(2, 4):
        forms = attribute(rng, lang, split)
        if forms["key"] not in [c["key"] for c in columns]:
            columns.append(forms)
    kind = rng.choice(("person", "product", "org", "city", "thing", "weekday", "food", "room", "id"))
    rows = list(dict.fromkeys(slots.value(rng, kind, lang, split) for _ in range(rng.randint(2, 6))))
    kinds = [rng.choice(VALUES) for _ in columns]
    cells = {(r, i): slots.value(rng, k, lang, split) for r in rows for i, k in enumerate(kinds)}
    head = {"en": ("Name", "Item", "Entry", ""), "de": ("Name", "Eintrag", "Bezeichnung", "")}
    names = [rng.choice(head[lang])] + [first_up(c["key"]) for c in columns]
    grid = [names] + [[r] + [cells[r, i] for i in range(len(columns))] for r in rows]
    style = rng.random()
    if style < 0.5:
        lines = ["| " + " | ".join(g) + " |" for g in grid]
        lines.insert(1, "|" + "---|" * len(names))
    elif style < 0.75:
        joint = rng.choice(("; ", "\t", " | ", ", "))
        lines = [joint.join(g) for g in grid]
    else:
        lines = [f"{g[0]}: " + ", ".join(f"{n} {v}" for n, v in zip(names[1:], g[1:])) for g in grid[1:]]
    ask = facts.cut(ASK_PROPERTY[lang], split)
    asked = [(write(rng.choice(ask), columns[i], e=r), v) for (r, i), v in cells.items()]
    gone = []
    other = slots.value(rng, kind, lang, split)
    if other not in rows:
        gone.append((write(rng.choice(ask), rng.choice(columns), e=other), "not in the text"))
    forms = attribute(rng, lang, split)
    if forms["key"] not in [c["key"] for c in columns]:
        gone.append((write(rng.choice(ask), forms, e=rng.choice(rows)), "not in the text"))
    return "\n".join(lines), asked, gone


def make(rng, lang, split):
    """A text, questions that it answers, and questions that it does not."""
    return rng.choices((properties, deeds, table), (5, 3, 2))[0](rng, lang, split)
