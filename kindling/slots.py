"""Values that stand in generated texts: names, numbers, dates, things.

Every list is cut in three, so that validation and test see words that training never did.
"""

import random

import later

ISO_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def words(text):
    return [w.strip().replace("_", " ") for w in text.split() if w.strip()]


class Growing(list):
    """A list to which `later` was added for training alone."""

    def __init__(self, items, later):
        super().__init__(items)
        self.later = later


def part(items, split):
    """The part of a list that belongs to a split: the last tenth is for the test, the one before
    it for validation, and what came later for training."""
    n = len(items)
    if n < 10:
        return items
    tenth = n // 10
    if split == "train":
        return items[: n - 2 * tenth] + getattr(items, "later", [])
    return items[n - 2 * tenth : n - tenth] if split == "valid" else items[n - tenth :]


FIRST = {
    "en": words(
        """Anna Ben Carla David Emma Frank Grace Henry Isabel Jack Karen Liam Maria Noah Olivia Peter Quentin Rachel Sam
        Tessa Umar Violet Walter Yasmin Zoe Aisha Boris Chloe Dmitri Elena Farid Gloria Hassan Ingrid Joanna Kofi Leila
        Marcus Nadia Oscar Priya Rafael Simone Tomas Ursula Victor Wendy Xavier Yuki Adele Bruno Celia Duncan Edith
        Felix Greta Hugo Iris Jonas Kate Louis Mabel Neil Orla Paul Rosa Stella Theo Una Vera Will Amira Bela Cyrus
        Dora Eamon Fiona Gavin Hanna Ivan Judith Kiran Lucy Milo Nora Owen Petra Robin Sofia Tariq Agnes Basil Cora
        Dennis Esther Fergus Gwen Harvey Imogen Jasper Keiko Lorna Magnus Nell Otis Pearl Rufus Sybil Tobias Vivian
        Wanda Yara Alba Brendan Clara Dario Eve Finn Gemma Heidi Igor Jude Kamal Lena Mina Niall Olga Philip Ruth Sean
        Thora Ulrich Valerie Wilma Zara Abel Bianca Conrad Delia Elliot Freya Giles Hector Ida Joel""",
    ),
    "de": words(
        """Anna Bernd Claudia Dieter Eva Friedrich Gisela Heinz Inge Jürgen Karin Lars Monika Norbert Petra Ralf Sabine
        Thomas Ute Volker Waltraud Andreas Birgit Christian Dagmar Erik Frauke Günter Helga Ingo Jana Klaus Lisa Martin
        Nina Oliver Paula Rainer Sonja Torsten Ulrike Vera Werner Yvonne Axel Britta Carsten Doris Emil Franziska Georg
        Heike Igor Jasmin Kai Lena Matthias Nadine Otto Pia Robert Silke Tim Uwe Verena Wolfgang Ayşe Bülent Céline
        Dilara Elif Fatma Goran Hakan Ivana Jovan Katarzyna Ludmila Mehmet Nikolai Ömer Piotr Rosa Sergej Tanja Ursula
        Vincent Xenia Zeynep Anton Beate Clemens Dorothea Ewald Fiona Gregor Hanna Ilse Johannes Käthe Leopold Magda
        Niklas Ottilie Philipp Renate Stefan Theresa Veit Wilma Achim Bruno Carola Detlef Edith Florian Grit Holger
        Irene Jakob Konrad Luise Manfred Nele Oskar Regina Sven Tilda Urs Viktor Wiebke Arne Bettina Cornelius Edda
        Falk Gerda Henning Isolde Jost Kerstin Lothar Marlies""",
    ),
}
LAST = {
    "en": words(
        """Abbott Barlow Carver Dunmore Ellwood Fairley Garner Hollis Ingram Jessop Kendrick Lowther Marsden Norwood
        Oakley Pemberton Quigley Ransome Sheldon Thackery Upton Vance Whitlock Yardley Ashdown Brightwell Colston
        Drayton Enfield Fothergill Greaves Harkness Illing Jardine Kershaw Langdon Mortlake Nettleton Ormsby Pickering
        Rooke Stanhope Tilbury Underhill Varley Wetherby Yates Okafor Mensah Patel Sharma Rossi Moreau Novak Kowalski
        Haddad Silva Costa Tanaka Nguyen Petrov Larsen Lindqvist Virtanen Horvat Bauer Weiss Keller Brandt Aydin Demir
        Farouk Mbeki Osei Chaudhry Begum Rahman Castellano Duarte Ferreira Ibarra Janssen Visser Dekker Murphy Gallagher
        Brennan Doyle Macleod Sinclair Drummond Pryce Bevan Gwynne Arden Birch Crane Dale Finch Glover Hale Irons Joyce
        Knapp Lark Moss North Orchard Penn Reeve Sparrow Thorne Vale Winter Abara Bello Chen Dang Eze Fujita Goto
        Hamid Iqbal Jha Kato Lim Mori Noor Ono Park Quispe Rao Sato""",
    ),
    "de": words(
        """Ahrens Bergmann Claussen Dietrich Eberhardt Feldmann Grabowski Hagedorn Imhoff Jansen Kaltenbach Lindemann
        Mertens Neubauer Oppermann Pfeiffer Quandt Reinhardt Schuster Thalmann Ullrich Vogelsang Wagenknecht Zander
        Albrecht Brinkmann Conrad Dorn Engelmann Fuhrmann Gerlach Hellwig Isenberg Jürgens Köster Löffler Münch
        Niemann Ostermann Pohl Rademacher Seidel Trautmann Uhlig Voss Wiegand Ziegler Yılmaz Kaya Demir Nowak Kowalczyk
        Petrović Horvat Rossi Ferrari Novák Dvořák Nguyen Popescu Ivanov Hoffmann Krämer Schäfer Weiß Groß Kühn
        Bäcker Fährmann Gärtner Hübner Jäger Kübler Lämmle Mühlbauer Nägele Öztürk Pröll Rössler Säger Tönnies Überall
        Wüst Zöllner Achternbosch Birnbaum Dahlke Eichhorn Finkbeiner Gutknecht Hirschfeld Kirsch Lauterbach Moosbach
        Nachtigall Obermeier Pechstein Rothenberg Steinbrück Tannert Unger Vierck Waldhoff Zeisig Brühl Danz Ertl Frick
        Gruber Huber Illner Kranz Lutz Moll Noll Orth Plenk Raab Sauter Thoma Utz Veith Wenzel Zobel Asmussen Boysen
        Clasen Diercks Eggers Flügge Grothe Hinrichs""",
    ),
}
CITY = {
    "en": words(
        """Ashford Brimley Calder_Bridge Dunwick East_Harrow Fenmouth Grangeby Hartwell Inverdale Kelmscott Lowick Marlow_Heath
        Northwold Oakhampton Pendlebury Quarrington Redmire Stanwick Thornbury Upper_Wexley Valeford Westerby Yarrowford
        Alderton Bexcombe Coldwater Dovercliff Elmsworth Farnleigh Glenrock Holmfield Ironbridge_Cross Kingsmoor
        Lakeview Millbrook New_Ashby Old_Harbour Pinewood Riverton Saltmarsh Tidewell Umberleigh Vintry Whitesand
        Bristol Leeds Dublin Boston Toronto Cardiff Glasgow Denver Perth Oslo Lyon Turin Porto Vienna Prague Ghent
        Aldermoor Birchanger Cranleigh Ditchford Eastmere Foxcote Greyhaven Hollowby Kirkwell Longbarrow""",
    ),
    "de": words(
        """Altendorf Birkenau Dornstetten Ehrenfeld Falkenberg Grünwald Hohenfels Immenstadt Kaltenbrunn Lindenau Mühlhausen
        Neustadt Oberkirch Pfaffenhofen Rosenheim Schönbach Tannenberg Unterhausen Waldkirch Ziegenrück Ahrensburg
        Bramstedt Celle Detmold Eutin Flensburg Goslar Husum Itzehoe Jever Kiel Lübeck Münster Nürnberg Osnabrück Passau
        Regensburg Stralsund Trier Ulm Viersen Worms Xanten Zwickau Wien Graz Linz Bern Basel Zürich Leipzig Dresden Erfurt
        Bad_Brunnthal Groß_Wessen Klein_Mahlow Hinterried Vorderau Steinach Seeburg Möwenhagen Bärenklau Füssing
        Käferthal Löwenstein Rübenau Süderlügum Völkersen Wüstring Eschelbronn Fichtenau Gerstetten Haselünne""",
    ),
}
COUNTRY = {
    "en": words(
        """Portugal Norway Chile Kenya Japan Canada Greece Poland Vietnam Morocco Peru Finland India Ghana Austria Croatia
        Ireland Brazil Egypt Iceland Mexico Nepal Romania Spain Turkey Uruguay Wales Zambia Denmark Estonia""",
    ),
    "de": words(
        """Portugal Norwegen Chile Kenia Japan Kanada Griechenland Polen Vietnam Marokko Peru Finnland Indien Ghana Österreich
        Kroatien Irland Brasilien Ägypten Island Mexiko Nepal Rumänien Spanien Uruguay Wales Sambia Dänemark Estland Ungarn""",
    ),
}
STREET = {
    "en": words(
        """Mill_Lane Station_Road High_Street Church_Hill Orchard_Close Harbour_Street Bridge_Road Elm_Avenue Market_Square
        Quarry_Road Victoria_Terrace Meadow_Way Canal_Walk Forge_Lane Park_Crescent Abbey_Road Rowan_Drive Hill_View
        Cobbler's_Row Sandpiper_Court Beacon_Street Fuller's_Yard Weaver_Street Linden_Grove Old_Post_Road Chapel_Street
        Kiln_Lane Foundry_Way Swan_Alley Wharf_Road Larch_Avenue Tanner_Street""",
    ),
    "de": words(
        """Mühlweg Bahnhofstraße Hauptstraße Kirchgasse Am_Anger Hafenstraße Lindenallee Marktplatz Steinbruchweg Goethestraße
        Wiesenweg Am_Kanal Schmiedegasse Parkring Klosterstraße Ahornweg Bergstraße Schusterzeile Möwenweg Gartenstraße
        Webergasse Alte_Poststraße Kapellenweg Töpferweg Gießereistraße Schwanenwall Uferpromenade Lärchenweg Gerbergasse
        Feldstraße Brückenstraße Industriestraße""",
    ),
}
TRADE = {
    "en": words(
        """Logistics Joinery Bakery Roofing Print_Works Plumbing Catering Consulting Textiles Garden_Centre Optics Motors
        Furniture Cleaning Electronics Books Interiors Foods Travel Software Engineering Tools Insurance Media Ceramics
        Brewery Dairy Metals Packaging Security Events Pharmacy Energy Timber""",
    ),
    "de": words(
        """Logistik Tischlerei Bäckerei Dachbau Druckerei Sanitär Catering Beratung Textil Gartenbau Optik Automobile
        Möbelwerkstatt Gebäudereinigung Elektronik Buchhandel Raumausstattung Feinkost Reisen Software Maschinenbau
        Werkzeuge Versicherungen Medien Keramik Brauerei Molkerei Metallbau Verpackungen Sicherheit Veranstaltungen
        Apotheke Energie Holzhandel""",
    ),
}
THING = {
    "en": words(
        """office_chair printer desk_lamp bicycle laptop cordless_drill water_pump coffee_machine ladder projector filing_cabinet
        oven window_frame radiator toolbox camera tent kettle trailer mower fridge scanner headset table_saw wardrobe carpet
        boiler keyboard suitcase sewing_machine fire_extinguisher door_lock hand_truck mixer sofa helmet rucksack fan
        whiteboard air_filter garden_hose telescope violin microscope wheelbarrow bookshelf pallet_jack heat_pump mattress
        battery_pack router forklift sink washing_machine bench generator monitor lawn_roller winch chandelier kayak
        compressor drum lathe pram stapler""",
    ),
    "de": words(
        """Bürostuhl Drucker Schreibtischlampe Fahrrad Laptop Akkuschrauber Wasserpumpe Kaffeemaschine Leiter Beamer Aktenschrank
        Backofen Fensterrahmen Heizkörper Werkzeugkasten Kamera Zelt Wasserkocher Anhänger Rasenmäher Kühlschrank Scanner
        Headset Tischkreissäge Kleiderschrank Teppich Heizkessel Tastatur Koffer Nähmaschine Feuerlöscher Türschloss
        Sackkarre Mixer Sofa Helm Rucksack Ventilator Whiteboard Luftfilter Gartenschlauch Teleskop Geige Mikroskop
        Schubkarre Bücherregal Hubwagen Wärmepumpe Matratze Akku Router Gabelstapler Spülbecken Waschmaschine Werkbank
        Stromerzeuger Bildschirm Rasenwalze Seilwinde Kronleuchter Kajak Kompressor Trommel Drehbank Kinderwagen Hefter""",
    ),
}
THINGS = {
    "en": words(
        """office_chairs printers desk_lamps bicycles laptops drills pumps ladders projectors filing_cabinets window_frames
        radiators cameras tents kettles trailers keyboards suitcases helmets rucksacks fans air_filters bookshelves mattresses
        batteries routers benches monitors towels blankets bolts light_bulbs cartons paint_rollers gloves spanners cups plates
        folders envelopes bricks roof_tiles hinges candles notebooks aprons seedlings""",
    ),
    "de": words(
        """Bürostühle Drucker Schreibtischlampen Fahrräder Laptops Bohrer Pumpen Leitern Beamer Aktenschränke Fensterrahmen
        Heizkörper Kameras Zelte Wasserkocher Anhänger Tastaturen Koffer Helme Rucksäcke Ventilatoren Luftfilter Regale
        Matratzen Akkus Router Bänke Bildschirme Handtücher Decken Schrauben Glühbirnen Kartons Farbrollen Handschuhe
        Schraubenschlüssel Tassen Teller Ordner Umschläge Ziegel Dachpfannen Scharniere Kerzen Hefte Schürzen Setzlinge""",
    ),
}
JOB = {
    "en": words(
        """electrician plumber baker accountant nurse teacher carpenter architect gardener librarian mechanic lawyer chemist
        translator photographer surveyor tailor pharmacist welder journalist potter engineer midwife optician farmer
        bookbinder roofer vet goldsmith beekeeper""",
    ),
    "de": words(
        """Elektriker Klempner Bäcker Buchhalter Krankenpfleger Lehrer Tischler Architekt Gärtner Bibliothekar Mechaniker Anwalt
        Chemiker Übersetzer Fotograf Vermesser Schneider Apotheker Schweißer Journalist Töpfer Ingenieur Kaufmann Optiker
        Landwirt Buchbinder Dachdecker Tierarzt Goldschmied Imker""",
    ),
}
DEPT = {
    "en": words(
        """Accounts Purchasing Sales Human_Resources IT Customer_Service Logistics Legal Marketing Production Quality Maintenance
        Reception Payroll Research Export Warehouse Training Facilities Security""",
    ),
    "de": words(
        """Buchhaltung Einkauf Vertrieb Personal IT Kundendienst Logistik Recht Marketing Produktion Qualität Instandhaltung
        Empfang Lohnbüro Forschung Export Lager Ausbildung Haustechnik Sicherheit""",
    ),
}
COLOR = {
    "en": words(
        """red blue dark_green white black grey light_blue yellow orange brown beige silver turquoise violet cream navy_blue
        copper pink olive anthracite""",
    ),
    "de": words(
        """rot blau dunkelgrün weiß schwarz grau hellblau gelb orange braun beige silber türkis violett cremeweiß marineblau
        kupfer rosa oliv anthrazit""",
    ),
}
MATERIAL = {
    "en": words("oak steel linen glass leather beech wool brass slate bamboo copper cotton granite pine clay felt cork rubber marble ash"),
    "de": words(
        "Eiche Stahl Leinen Glas Leder Buche Wolle Messing Schiefer Bambus Kupfer Baumwolle Granit Kiefer Ton Filz Kork Gummi Marmor Esche"
    ),
}
ANIMAL = {
    "en": words(
        """otter barn_owl hedgehog beaver kingfisher badger lynx stork pine_marten tree_frog hare heron bat salamander falcon
        dormouse seal mole ibex wild_boar crane adder polecat curlew""",
    ),
    "de": words(
        """Fischotter Schleiereule Igel Biber Eisvogel Dachs Luchs Storch Marder Laubfrosch Feldhase Reiher Siebenschläfer
        Salamander Falke Haselmaus Seehund Maulwurf Steinbock Keiler Kranich Iltis Brachvogel Waldkauz""",
    ),
}
FOOD = {
    "en": words(
        """lentil_soup apple_pie rye_bread goat's_cheese potato_salad pumpkin_soup plum_cake fish_stew risotto pancakes
        onion_tart beetroot_salad mushroom_pie oat_biscuits dumplings carrot_cake flatbread porridge noodle_salad bean_stew""",
    ),
    "de": words(
        """Linsensuppe Apfelkuchen Roggenbrot Ziegenkäse Kartoffelsalat Kürbissuppe Pflaumenkuchen Fischeintopf Risotto Pfannkuchen
        Zwiebelkuchen Rote-Bete-Salat Pilzpastete Haferkekse Knödel Möhrenkuchen Fladenbrot Haferbrei Nudelsalat Bohneneintopf""",
    ),
}
EVENT = {
    "en": words(
        """summer_party open_day flea_market lantern_walk book_reading trade_fair staff_outing harvest_festival charity_run
        spring_concert film_night jubilee annual_meeting craft_market chess_tournament quiz_evening wine_tasting
        safety_training job_fair garden_tour""",
    ),
    "de": words(
        """Sommerfest Flohmarkt Laternenumzug Betriebsausflug Erntefest Spendenlauf Frühlingskonzert Filmabend Jubiläum
        Handwerkermarkt Schachturnier Nachbarschaftsfest Vereinsfest Hafenfest Straßenfest Sportfest Schulfest Stadtfest
        Weinfest Herbstfest""",
    ),
}
TOPIC = {
    "en": words(
        """beekeeping bookkeeping pottery astronomy first_aid woodworking marine_biology typography soil_science photography
        tax_law robotics music_theory nutrition geology weaving acoustics calligraphy botany welding statistics baking
        meteorology cartography""",
    ),
    "de": words(
        """Imkerei Buchführung Töpferei Astronomie Holzbearbeitung Meeresbiologie Typografie Bodenkunde Fotografie Steuerrecht
        Robotik Musiktheorie Ernährungslehre Geologie Weberei Akustik Kalligrafie Botanik Schweißtechnik Statistik Backkunst
        Wetterkunde Kartografie Kräuterkunde""",
    ),
}
LANGUAGE = {
    "en": words("Polish French Turkish Italian Arabic Danish Greek Japanese Spanish Czech Hindi Swedish Welsh Dutch Ukrainian Finnish"),
    "de": words(
        "Polnisch Französisch Türkisch Italienisch Arabisch Dänisch Griechisch Japanisch Spanisch Tschechisch Hindi Schwedisch "
        "Walisisch Niederländisch Ukrainisch Finnisch"
    ),
}
MONTH = {
    "en": words("January February March April May June July August September October November December"),
    "de": words("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
}
DAY = {
    "en": words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
    "de": words("Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag"),
}
FLOOR = {
    "en": ["ground floor", "first floor", "second floor", "third floor", "fourth floor", "basement", "attic", "top floor"],
    "de": ["Erdgeschoss", "erster Stock", "zweiter Stock", "dritter Stock", "Keller", "Dachgeschoss", "Untergeschoss", "1. OG"],
}
NUMBER_WORD = {
    "en": words("two three four five six seven eight nine ten eleven twelve"),
    "de": words("zwei drei vier fünf sechs sieben acht neun zehn elf zwölf"),
}
# Singular, plural and (German) dative plural of spans of time.
SPAN = {
    "en": [("day", "days"), ("week", "weeks"), ("month", "months"), ("year", "years"), ("hour", "hours"), ("minute", "minutes")],
    "de": [
        ("Tage", "Tagen"),
        ("Wochen", "Wochen"),
        ("Monate", "Monaten"),
        ("Jahre", "Jahren"),
        ("Stunden", "Stunden"),
        ("Minuten", "Minuten"),
    ],
}
for name, lists in {
    "CITY": CITY, "COUNTRY": COUNTRY, "STREET": STREET, "TRADE": TRADE, "THING": THING, "THINGS": THINGS, "JOB": JOB, "DEPT": DEPT, "COLOR": COLOR,
    "MATERIAL": MATERIAL, "ANIMAL": ANIMAL, "FOOD": FOOD, "EVENT": EVENT, "TOPIC": TOPIC, "LANGUAGE": LANGUAGE,
}.items():
    for lang in lists:
        lists[lang] = Growing(lists[lang], words(later.WORDS[name][lang]))
ONSET = words("b br c ch d dr f fl g gl gr h j k kl kr l m n p pl pr qu r s sch sh sk sl sp st str t th tr v w z")
NUCLEUS = words("a e i o u ai ea ei ie oo ou au ä ö ü y")
CODA = ["", "", "", "b", "ck", "d", "f", "g", "l", "ld", "lm", "m", "n", "nd", "ng", "nk", "p", "r", "rn", "rt", "s", "st", "t", "x", "z"]


def invented(rng, low=1, high=3):
    """A word that nobody has heard."""
    return "".join(rng.choice(ONSET) + rng.choice(NUCLEUS) + rng.choice(CODA) for _ in range(rng.randint(low, high)))


def pick(rng, lists, lang, split):
    return rng.choice(part(lists[lang], split))


def first(rng, lang, split):
    if rng.random() < 0.15:
        return invented(rng, 1, 2).capitalize()
    return pick(rng, FIRST, lang if rng.random() < 0.8 else rng.choice(("en", "de")), split)


def last(rng, lang, split):
    if rng.random() < 0.25:
        return invented(rng, 1, 3).capitalize() + rng.choice(("", "", "", "er", "mann", "son", "ski", "ley", "ini"))
    return pick(rng, LAST, lang if rng.random() < 0.8 else rng.choice(("en", "de")), split)


def person(rng, lang, split):
    name = first(rng, lang, split) + " " + last(rng, lang, split)
    r = rng.random()
    if r < 0.06:
        return "Dr. " + name if lang == "de" else "Dr " + name
    if r < 0.10:
        return name + "-" + last(rng, lang, split)
    if r < 0.14:
        return name.split(" ")[0] + " " + rng.choice("ABCDEFGHJKLMNPRSTW") + ". " + name.split(" ")[-1]
    return name


def city(rng, lang, split):
    r = rng.random()
    if r < 0.2:
        ends = {"en": ("ton", "ford", "by", "ham", "mouth", " Bay", "wick"), "de": ("heim", "hausen", "dorf", "bach", "stedt", "ow", "au")}
        return invented(rng, 1, 2).capitalize() + rng.choice(ends[lang])
    return pick(rng, CITY, lang, split)


def org(rng, lang, split):
    trade, name, r = pick(rng, TRADE, lang, split), last(rng, lang, split), rng.random()
    if lang == "en":
        if r < 0.3:
            return f"{name} {trade}"
        if r < 0.5:
            return f"{name} & {rng.choice(('Sons', 'Daughters', 'Partners', last(rng, lang, split)))}{rng.choice((' Ltd', '', '', ' LLP'))}"
        if r < 0.7:
            return f"{city(rng, lang, split)} {trade}{rng.choice((' Ltd', '', ' Co.', ' Group'))}"
        if r < 0.85:
            return f"{invented(rng).capitalize()}{rng.choice((' ' + trade, ' Ltd', '', ' Inc.', ' plc'))}"
        return f"{name} {trade} {rng.choice(('Ltd', 'Limited', 'GmbH', 'Co.', 'Services'))}"
    if r < 0.35:
        return f"{name} {trade}{rng.choice((' GmbH', '', ' KG', ' e.K.', ' AG'))}"
    if r < 0.5:
        return f"{name} & {rng.choice(('Söhne', 'Partner', 'Töchter', last(rng, lang, split)))}{rng.choice((' GmbH', '', ' OHG'))}"
    if r < 0.7:
        return f"{trade} {name}{rng.choice((' GmbH', '', ' GmbH & Co. KG'))}"
    if r < 0.85:
        return f"{invented(rng).capitalize()}{rng.choice((' ' + trade, ' GmbH', '', ' AG', ' SE'))}"
    return f"{trade} {city(rng, lang, split)}{rng.choice((' GmbH', '', ' eG'))}"


def street(rng, lang, split):
    name, number = pick(rng, STREET, lang, split), rng.randint(1, 199)
    if rng.random() < 0.2:
        name = invented(rng, 1, 2).capitalize() + rng.choice({"en": (" Street", " Road", " Lane"), "de": ("straße", "weg", "gasse")}[lang])
    letter = rng.choice(("", "", "", "", "a", "b", "c"))
    return f"{number}{letter} {name}" if lang == "en" else f"{name} {number}{letter}"


def address(rng, lang, split):
    if lang == "de":
        return f"{street(rng, lang, split)}, {rng.randint(1000, 99999):05d} {city(rng, lang, split)}"
    code = f"{rng.choice('ABCDEGHLMNPRSTW')}{rng.choice('ABDEFHLNRSTY')}{rng.randint(1, 29)} {rng.randint(1, 9)}{rng.choice('ABDEFGHJLN')}{rng.choice('ABDEFGHJLN')}"
    return f"{street(rng, lang, split)}, {rng.choice((city(rng, lang, split) + ' ' + code, city(rng, lang, split)))}"


ASCII = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ş": "s", "é": "e", "ć": "c", "á": "a", "ř": "r", "ı": "i", "Ö": "oe", "Ü": "ue", "'": None})


def domain(rng, lang, split):
    name = rng.choice((last(rng, lang, split), invented(rng), pick(rng, TRADE, lang, split))).lower().translate(ASCII).replace(" ", "-")
    return name + rng.choice({"en": (".com", ".co.uk", ".org", ".example", ".net"), "de": (".de", ".com", ".example", ".at", ".net")}[lang])


def email(rng, lang, split):
    offices = {"en": ("info", "office", "sales", "orders", "help", "accounts"), "de": ("info", "buero", "service", "bestellung", "kontakt", "post")}
    a, b = (x.lower().translate(ASCII) for x in (first(rng, lang, split), last(rng, lang, split)))
    user = rng.choice((f"{a}.{b}", f"{a[0]}.{b}", b, a, rng.choice(offices[lang]), f"{a}{rng.randint(1, 99)}"))
    return f"{user}@{domain(rng, lang, split)}"


def digits(rng, n):
    return "".join(rng.choice("0123456789") for _ in range(n))


def phone(rng, lang, split):
    area = "0" + digits(rng, rng.randint(2, 4)).replace("0", "4")
    rest = digits(rng, rng.randint(4, 8))
    if rng.random() < 0.25:
        return f"{rng.choice(('+49', '+44', '+43', '+1', '+41'))} {area[1:]} {rest}"
    if rng.random() < 0.3 and len(rest) > 5:
        rest = rest[:3] + " " + rest[3:]
    return area + rng.choice((" ", "/", "-", " / ", " ")) + rest


def url(rng, lang, split):
    path = rng.choice(("", "", "/" + invented(rng, 1, 2), "/" + rng.choice({"en": ("help", "shop", "forms"), "de": ("hilfe", "shop", "formulare")}[lang])))
    return rng.choice(("www.", "https://", "https://www.", "")) + domain(rng, lang, split) + path


def date(rng, lang, year=None):
    """A date as it is written, and as ISO writes it."""
    y, m = year or rng.randint(2019, 2031), rng.randint(1, 12)
    d = rng.randint(1, ISO_DAYS[m - 1])
    iso = f"{y}-{m:02d}-{d:02d}"
    name = MONTH[lang][m - 1]
    if lang == "de":
        forms = [f"{d}. {name} {y}", f"{d:02d}.{m:02d}.{y}", f"{d}.{m}.{y}", f"{d:02d}.{m:02d}.{y % 100:02d}", f"{d:02d}. {name} {y}", iso]
        weights = (5, 5, 2, 1, 1, 1)
    else:
        forms = [f"{d} {name} {y}", f"{name} {d}, {y}", f"{d:02d}/{m:02d}/{y}", iso, f"{d} {name[:3]} {y}", f"{d:02d}.{m:02d}.{y}"]
        weights = (5, 4, 2 if d > 12 else 0, 2, 2, 1)
    return rng.choices(forms, weights)[0], iso


def short_date(rng, lang):
    m = rng.randint(1, 12)
    d = rng.randint(1, ISO_DAYS[m - 1])
    name = MONTH[lang][m - 1]
    return rng.choice((f"{d}. {name}", f"{d}. {name}", f"{d}.{m}.") if lang == "de" else (f"{d} {name}", f"{name} {d}"))


def time(rng, lang, _=None):
    """A time of day as it is written, and as HH:MM."""
    h, m = rng.randint(6, 22), rng.choice((0, 0, 0, 15, 30, 30, 45, rng.randint(0, 11) * 5))
    iso = f"{h:02d}:{m:02d}"
    if lang == "de":
        return rng.choice((f"{h}:{m:02d} Uhr", f"{h}.{m:02d} Uhr", f"{h} Uhr" if m == 0 else f"{h}:{m:02d} Uhr", f"{h:02d}:{m:02d} Uhr")), iso
    half, hour = ("am" if h < 12 else "pm"), (h - 1) % 12 + 1
    return rng.choice((f"{h}:{m:02d}", f"{hour}:{m:02d} {half}", f"{hour} {half}" if m == 0 else f"{hour}.{m:02d} {half}", f"{hour}{half}" if m == 0 else iso)), iso


def grouped(n, lang):
    return f"{n:,}".replace(",", "." if lang == "de" else ",")


def amount(rng):
    """Whole cents, of very different sizes."""
    size = rng.choice((1000, 10000, 10000, 100000, 100000, 1000000, 10000000))
    cents = rng.randint(size // 10, size)
    return rng.choice((cents, cents, cents // 100 * 100, cents // 1000 * 1000 or cents, cents // 10 * 10))


def decimal(cents, lang, group=True):
    whole, rest = divmod(cents, 100)
    text = grouped(whole, lang) if group else str(whole)
    return f"{text}{',' if lang == 'de' else '.'}{rest:02d}"


def money(rng, lang, _=None):
    """A sum as it is written, and as a number."""
    cents = amount(rng)
    text = decimal(cents, lang, rng.random() < 0.8)
    if cents % 100 == 0 and rng.random() < 0.4:
        text = grouped(cents // 100, lang)
        if lang == "de" and rng.random() < 0.2:
            text += ",-"
    if lang == "de":
        return rng.choice((f"{text} €", f"{text} €", f"{text} Euro", f"{text} EUR", f"EUR {text}")), cents / 100
    return rng.choice((f"€{text}", f"£{text}", f"${text}", f"€ {text}", f"{text} EUR", f"EUR {text}", f"{text} euros")), cents / 100


def number(rng, lang, low=100, high=99999):
    n = rng.randint(low, high)
    return (grouped(n, lang) if rng.random() < 0.5 else str(n)), n


def code(rng, *_):
    r = rng.random()
    letters = "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(rng.randint(1, 3)))
    if r < 0.25:
        return f"{letters}-{rng.randint(2019, 2031)}-{digits(rng, rng.randint(2, 5))}"
    if r < 0.45:
        return f"{letters}{digits(rng, rng.randint(2, 6))}"
    if r < 0.6:
        return f"{letters}-{digits(rng, rng.randint(3, 6))}"
    if r < 0.75:
        return digits(rng, rng.randint(4, 9)).lstrip("0") or "4711"
    if r < 0.85:
        return f"{rng.randint(19, 31)}/{digits(rng, rng.randint(2, 5))}"
    if r < 0.93:
        return f"{digits(rng, 3)}-{digits(rng, 4)}-{letters}"
    return f"{letters}.{digits(rng, 2)}.{digits(rng, 3)}"


def product(rng, lang, split):
    name = rng.choice((invented(rng, 1, 2).capitalize(), pick(rng, ANIMAL, lang, split).title(), last(rng, lang, split)))
    return name + rng.choice((f" {rng.randint(1, 99) * 10}", f" {rng.choice('XSTPLQ')}{rng.randint(1, 9)}", " Pro", f" {rng.randint(2, 9)}", " Mini", "", f"-{rng.randint(100, 999)}", " Plus"))


def span(rng, lang, dative=False):
    unit = rng.choice(SPAN[lang])
    plural = unit[1] if lang == "en" or dative else unit[0]
    n = rng.choice((rng.randint(2, 12), rng.randint(2, 12), rng.randint(13, 90)))
    if n <= 12 and rng.random() < 0.4:
        return f"{NUMBER_WORD[lang][n - 2]} {plural}"
    if lang == "en" and rng.random() < 0.08:
        return f"{rng.choice(('one', '1'))} {unit[0]}"
    return f"{n} {plural}"


def measure(rng, lang, unit, low, high):
    n = rng.choice((str(rng.randint(low, high)), decimal(rng.randint(low * 100, high * 100), lang), f"{rng.randint(low, high)}{',' if lang == 'de' else '.'}{rng.randint(1, 9)}"))
    return n + unit


def plate(rng, lang, _=None):
    up = "ABCDEFGHJKLMNPRSTUVWXYZ"
    if lang == "de":
        return f"{''.join(rng.choice(up) for _ in range(rng.randint(1, 3)))}-{rng.choice(up)}{rng.choice(up)} {rng.randint(1, 9999)}"
    return f"{rng.choice(up)}{rng.choice(up)}{rng.randint(10, 74)} {rng.choice(up)}{rng.choice(up)}{rng.choice(up)}"


def iban(rng, *_):
    text = rng.choice(("DE", "AT", "GB", "NL", "FR")) + digits(rng, 20)
    return " ".join(text[i : i + 4] for i in range(0, 22, 4)) if rng.random() < 0.8 else text


KINDS = {
    "person": person, "first": first, "last": last, "org": org, "city": city, "street": street, "address": address,
    "country": lambda r, l, s: pick(r, COUNTRY, l, s),
    "email": email, "phone": phone, "url": url,
    "date": lambda r, l, s: date(r, l)[0] if r.random() < 0.75 else short_date(r, l),
    "weekday": lambda r, l, s: r.choice(DAY[l]),
    "month": lambda r, l, s: r.choice(MONTH[l]),
    "year": lambda r, l, s: str(r.randint(1780, 2035)),
    "time": lambda r, l, s: time(r, l)[0],
    "duration": lambda r, l, s: span(r, l),
    "durationd": lambda r, l, s: span(r, l, dative=True),
    "money": lambda r, l, s: money(r, l)[0],
    "percent": lambda r, l, s: r.choice((f"{r.randint(1, 99)}", f"{r.randint(0, 30)}{',' if l == 'de' else '.'}{r.randint(1, 9)}")) + (r.choice((" %", " Prozent", "%")) if l == "de" else r.choice(("%", " percent", " per cent"))),
    "count": lambda r, l, s: str(r.randint(2, 99)),
    "number": lambda r, l, s: number(r, l)[0],
    "id": code, "product": product, "plate": plate, "iban": iban,
    "thing": lambda r, l, s: pick(r, THING, l, s),
    "things": lambda r, l, s: pick(r, THINGS, l, s),
    "job": lambda r, l, s: pick(r, JOB, l, s),
    "dept": lambda r, l, s: pick(r, DEPT, l, s),
    "room": lambda r, l, s: r.choice({"en": ("room ", "Room ", "office ", "hall "), "de": ("Raum ", "Zimmer ", "Saal ", "Büro ")}[l]) + r.choice((str(r.randint(1, 420)), r.choice("ABCDEF") + str(r.randint(1, 30)), f"{r.randint(0, 4)}.{r.randint(1, 30):02d}")),
    "weight": lambda r, l, s: measure(r, l, r.choice((" kg", " kg", " g", " t")), 1, 900),
    "length": lambda r, l, s: measure(r, l, r.choice((" m", " cm", " mm", " km")), 1, 400),
    "temp": lambda r, l, s: f"{r.randint(-20, 260)} °C" if r.random() < 0.7 else f"{r.randint(2, 90)} " + {"en": "degrees", "de": "Grad"}[l],
    "area": lambda r, l, s: measure(r, l, r.choice((" m²", " m²", {"en": " square metres", "de": " Quadratmeter"}[l], " ha")), 8, 900),
    "color": lambda r, l, s: pick(r, COLOR, l, s),
    "material": lambda r, l, s: pick(r, MATERIAL, l, s),
    "animal": lambda r, l, s: pick(r, ANIMAL, l, s),
    "food": lambda r, l, s: pick(r, FOOD, l, s),
    "event": lambda r, l, s: pick(r, EVENT, l, s),
    "topic": lambda r, l, s: pick(r, TOPIC, l, s),
    "language": lambda r, l, s: pick(r, LANGUAGE, l, s),
    "floor": lambda r, l, s: r.choice(FLOOR[l]),
    "license": lambda r, l, s: ".".join(str(r.randint(0, 20)) for _ in range(r.randint(2, 3))),
    "word": lambda r, l, s: invented(r, 1, 3),
}


def value(rng, kind, lang, split):
    return KINDS[kind](rng, lang, split)


if __name__ == "__main__":
    for kind in KINDS:
        for lang in ("en", "de"):
            print(kind, lang, [value(random.Random(i), kind, lang, "train") for i in range(5)])
