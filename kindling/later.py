"""Words that came later, for training alone: those of validation and test stay what they were."""

WORDS = {
    "CITY": {
        "en": """
        Ambleford Barrowdale Castle_Green Deepwater Eaglestone Fallowfield Gatesby Hatherley Ilmarsh Jarrow_End Kettlewick Lavenham_Cross
        Mossgate Netherby Oxcombe Priors_Hill Quayside Ravensmere Stonebridge Thistleton Upwood Vinehall Wolverley Yewbarrow Zeal_Monachorum
        Antwerp Barcelona Copenhagen Edinburgh Florence Geneva Helsinki Istanbul Jakarta Kraków Lisbon Manchester Naples Ottawa Philadelphia
        Quebec Rotterdam Seattle Tallinn Utrecht Valencia Warsaw York Zagreb Madrid London Berlin Paris Rome Athens Budapest Chicago Houston
        Melbourne Nairobi Cairo Lima Seoul Osaka Belfast Liverpool Sheffield Norwich Exeter Plymouth Swansea Aberdeen Dundee Cork Galway
        Limerick Halifax Calgary Austin Phoenix Portland Dallas Atlanta Brisbane Adelaide Wellington Auckland Salisbury Lincoln Durham
        Carlisle Dover Hastings Brighton Southampton Port_Ellis St_Agnes Little_Haddon Great_Missen Upper_Slaughter Burnham_Market
        Cold_Norton Fort_William Long_Marston North_Berwick South_Ferriby West_Linton""",
        "de": """
        Ansbach Bielefeld Cottbus Darmstadt Essen Freiburg Göttingen Hannover Ingolstadt Jena Kassel Leverkusen Mainz Neuss Oldenburg
        Paderborn Quedlinburg Rostock Siegen Tübingen Unna Vechta Wismar Zittau Hamburg Berlin München Köln Frankfurt Stuttgart Düsseldorf
        Dortmund Bremen Duisburg Bochum Wuppertal Bonn Mannheim Karlsruhe Augsburg Wiesbaden Aachen Kiel_Nord Magdeburg Chemnitz Halle
        Potsdam Heidelberg Salzburg Innsbruck Klagenfurt Luzern Genf Lausanne Winterthur Amsterdam Brüssel Kopenhagen Prag Warschau Mailand
        Straßburg Konstanz Lindau Bregenz Meißen Görlitz Bautzen Suhl Gotha Weimar Apolda Ober_Ramstadt Bad_Segeberg Bad_Tölz Sankt_Augustin
        Neu_Ulm Alt_Ruppin Hohen_Neuendorf Groß_Gerau Klein_Machnow Burgwedel Delmenhorst Emsdetten Fürstenberg Gifhorn Hammelburg
        Ibbenbüren Jüterbog Kevelaer Lüneburg Meppen Nordhorn Oelde Papenburg Ratingen Salzwedel Templin Uelzen Varel Wolfsburg Zerbst
        Brettheim Auental Eichwerder Rabenstein Mooshausen Sandkrug Weidenthal Hollerbach Kreuzberg_am_See""",
    },
    "COUNTRY": {
        "en": """
        Sweden Italy France Germany Belgium Luxembourg Switzerland Hungary Slovakia Slovenia Serbia Bulgaria Albania Cyprus Malta Latvia
        Lithuania Ukraine Georgia Armenia Tunisia Algeria Senegal Nigeria Cameroon Uganda Tanzania Namibia Botswana Madagascar Argentina
        Bolivia Colombia Ecuador Panama Cuba Jamaica Thailand Malaysia Indonesia Philippines Mongolia Pakistan Jordan Lebanon Oman Australia
        New_Zealand Scotland""",
        "de": """
        Schweden Italien Frankreich Deutschland Belgien Luxemburg Schweiz Slowakei Slowenien Serbien Bulgarien Albanien Zypern Malta
        Lettland Litauen Ukraine Georgien Armenien Tunesien Algerien Senegal Nigeria Kamerun Uganda Tansania Namibia Botswana Madagaskar
        Argentinien Bolivien Kolumbien Ecuador Panama Kuba Jamaika Thailand Malaysia Indonesien Philippinen Mongolei Pakistan Jordanien
        Libanon Oman Australien Neuseeland Schottland""",
    },
    "STREET": {
        "en": """
        Acacia_Road Bakers_Lane Castle_Street Dock_Road East_Parade Fern_Close Granary_Row Hawthorn_Avenue Ivy_Lane Jubilee_Way King_Street
        London_Road Manor_Drive New_Street Oak_Terrace Priory_Gardens Queens_Road River_Walk School_Lane The_Crescent Union_Street
        Vicarage_Road West_Street York_Place Albert_Square Broad_Street Cherry_Tree_Lane Duke_Street Ferry_Road Grove_Park Holly_Bank
        Ladysmith_Road Museum_Street Nightingale_Lane Old_Mill_Road Primrose_Hill Railway_Cottages Sycamore_Way Windsor_Road Poplar_Street""",
        "de": """
        Amselweg Bäckergasse Campusallee Domplatz Eichenweg Friedhofstraße Geigerstraße Hegelstraße Im_Winkel Jahnstraße Kastanienallee
        Ludwigstraße Mozartweg Nelkenweg Ostring Pappelallee Querstraße Rathausplatz Schulstraße Talstraße Ulmenweg Veilchenweg
        Wilhelmstraße Zeppelinstraße An_der_Mühle Beethovenstraße Dorfstraße Ernst-Reuter-Platz Fichtenweg Großer_Markt Hinter_den_Höfen
        Kantstraße Lessingstraße Marienplatz Neue_Gasse Obere_Straße Poststraße Rosenweg Schillerstraße Turmstraße Unter_den_Linden
        Weinbergweg Zum_Sportplatz Alter_Markt""",
    },
    "TRADE": {
        "en": """
        Accounting Aviation Bicycles Carpets Chemicals Communications Construction Cosmetics Design Digital Drinks Education Estates Fabrics
        Fashion Finance Fisheries Fitness Flooring Flowers Freight Glass Glazing Grain Haulage Heating Holdings Hotels Industries
        Instruments Jewellery Kitchens Labs Landscapes Laundry Leather Legal Lighting Machinery Marine Marketing Mills Mining Music
        Nurseries Outfitters Paints Paper Pets Plastics Pottery Power Properties Publishing Railways Recycling Rentals Research Restaurants
        Robotics Seafood Seeds Shipping Shoes Signs Solar Sports Steel Storage Studios Supplies Surgery Systems Tea Technologies Theatres
        Toys Training Tyres Vineyards Watches Water Windows Wines Woodworks""",
        "de": """
        Abfallwirtschaft Anlagenbau Antriebstechnik Architekten Augenoptik Baustoffe Bergbau Blumen Bodenbeläge Bootsbau Buchbinderei Chemie
        Design Drogerie Edelstahl Eisenwaren Elektrotechnik Fahrräder Fahrschule Farben Fensterbau Fischhandel Fitness Fleischerei Fliesen
        Forstbetrieb Fotostudio Getränke Glaserei Gebäudetechnik Haustechnik Heizungsbau Hotels Immobilien Ingenieure Innenausbau
        Kältetechnik Kaffeerösterei Klavierbau Kosmetik Küchen Kunststoffe Labor Landtechnik Lederwaren Lichttechnik Malerbetrieb Marketing
        Markisen Medizintechnik Messebau Mode Mühle Musikhaus Naturkost Papier Personaldienst Pflegedienst Recycling Reinigung Reifen
        Robotik Rohrbau Saatgut Schlosserei Schmuck Schreibwaren Schuhe Solar Spedition Spielwaren Stahlhandel Steinmetz Steuerberatung
        Systeme Tankstellen Teehaus Telekom Textilpflege Tierbedarf Trockenbau Uhren Verlag Wasserwerke Weingut Werbetechnik Wohnbau
        Zahntechnik Zeltverleih Zimmerei""",
    },
    "THING": {
        "en": """
        desk armchair dishwasher hammer screwdriver vacuum_cleaner typewriter telephone clock mirror curtain bucket broom shovel rake
        chainsaw wheel engine gearbox brake_disc bumper windscreen mast sail anchor canoe rowing_boat surfboard snowboard skateboard
        tricycle scooter motorcycle van lorry tractor plough combine_harvester milking_machine incubator X-ray_machine stethoscope
        wheelchair walking_frame hospital_bed blood_pressure_monitor thermometer barometer compass map globe lantern torch candlestick vase
        teapot frying_pan saucepan toaster blender waffle_iron juicer ice_machine meat_slicer cash_register shop_window mannequin
        clothes_rail ironing_board iron tumble_dryer bathtub shower_cabin toilet tap cistern water_meter gas_meter fuse_box light_switch
        socket extension_cable smoke_detector alarm_system doorbell letterbox garage_door fence garden_gate greenhouse sundial bird_bath
        beehive chicken_coop dog_basket aquarium terrarium saddle piano cello trumpet accordion guitar amplifier loudspeaker microphone
        record_player tripod easel potter's_wheel kiln loom printing_press guillotine laminator shredder franking_machine server_rack tablet
        smartphone graphics_card hard_disk docking_station webcam label_printer barcode_scanner conveyor_belt crane lifting_platform
        scaffold cement_mixer pile_driver excavator roller jackhammer angle_grinder welding_torch band_saw milling_machine vice workbench
        spirit_level tape_measure paint_gun sandblaster steam_cleaner snow_plough road_sign traffic_light parking_meter ticket_machine
        turnstile lift escalator air_conditioner humidifier stove fireplace chimney solar_panel wind_turbine transformer battery inverter
        charging_station""",
        "de": """
        Schreibtisch Sessel Geschirrspüler Hammer Schraubenzieher Staubsauger Schreibmaschine Telefon Wanduhr Spiegel Vorhang Eimer Besen
        Schaufel Rechen Kettensäge Reifen Motor Getriebe Bremsscheibe Stoßstange Mast Segel Anker Kanu Ruderboot Surfbrett Schlitten Dreirad
        Roller Motorrad Lieferwagen Lastwagen Traktor Pflug Mähdrescher Melkmaschine Brutkasten Röntgengerät Stethoskop Rollstuhl Rollator
        Pflegebett Blutdruckmesser Thermometer Barometer Kompass Globus Laterne Taschenlampe Kerzenständer Vase Teekanne Bratpfanne Kochtopf
        Toaster Standmixer Waffeleisen Entsafter Eismaschine Registrierkasse Schaufensterpuppe Kleiderständer Bügelbrett Bügeleisen
        Wäschetrockner Badewanne Duschkabine Wasserhahn Spülkasten Wasserzähler Gaszähler Sicherungskasten Lichtschalter Steckdose
        Verlängerungskabel Rauchmelder Alarmanlage Türklingel Briefkasten Garagentor Gartenzaun Gewächshaus Sonnenuhr Bienenstock
        Hühnerstall Hundekorb Aquarium Sattel Klavier Cello Trompete Akkordeon Gitarre Verstärker Lautsprecher Plattenspieler Stativ
        Staffelei Töpferscheibe Brennofen Webstuhl Druckerpresse Laminiergerät Aktenvernichter Frankiermaschine Serverschrank Tablet
        Smartphone Grafikkarte Festplatte Dockingstation Webcam Etikettendrucker Barcodeleser Förderband Kran Hebebühne Gerüst Betonmischer
        Bagger Walze Presslufthammer Winkelschleifer Schweißgerät Bandsäge Fräsmaschine Schraubstock Wasserwaage Maßband Farbspritzpistole
        Dampfreiniger Schneepflug Verkehrsschild Ampel Parkuhr Fahrkartenautomat Drehkreuz Aufzug Rolltreppe Klimaanlage Luftbefeuchter
        Kaminofen Schornstein Solarmodul Windrad Transformator Wechselrichter Ladesäule Kühltruhe Kaffeemühle Dunstabzugshaube Mikrowelle
        Handkreissäge Stichsäge Laubbläser Häcksler Hochdruckreiniger Regentonne""",
    },
    "THINGS": {
        "en": """
        tables armchairs lamps curtains carpets cushions pillows sheets napkins forks spoons knives bowls glasses bottles jars tins barrels
        crates pallets sacks buckets brooms mops sponges soaps toothbrushes combs mirrors clocks watches rings necklaces handbags umbrellas
        scarves hats boots sandals socks shirts jackets coats overalls safety_vests goggles ear_plugs masks bandages plasters syringes
        thermometers screws nails nuts washers brackets pipes valves gaskets hoses cables sockets switches fuses plugs adapters hard_disks
        memory_sticks headphones mice webcams cartridges labels stamps postcards magazines books pencils pens markers rulers scissors
        staplers paper_clips binders whiteboards signs flags posters tickets badges medals trophies footballs rackets skis sledges saddles
        tyres wheels pedals chains seats windows doors locks keys planks beams tiles slabs sandbags fence_posts flower_pots bulbs shrubs
        fruit_trees hives shovels rakes hammers saws clamps brushes rolls_of_wallpaper tubs_of_paint""",
        "de": """
        Tische Sessel Lampen Vorhänge Teppiche Kissen Laken Servietten Gabeln Löffel Messer Schüsseln Gläser Flaschen Dosen Fässer Kisten
        Paletten Säcke Eimer Besen Schwämme Seifen Zahnbürsten Kämme Spiegel Uhren Ringe Ketten Handtaschen Regenschirme Schals Hüte Stiefel
        Sandalen Socken Hemden Jacken Mäntel Overalls Warnwesten Schutzbrillen Ohrstöpsel Masken Verbände Pflaster Spritzen Thermometer
        Nägel Muttern Winkel Rohre Ventile Dichtungen Schläuche Kabel Steckdosen Schalter Sicherungen Stecker Adapter Festplatten
        Speichersticks Kopfhörer Mäuse Patronen Etiketten Briefmarken Postkarten Zeitschriften Bücher Bleistifte Kugelschreiber Lineale
        Scheren Büroklammern Schilder Fahnen Plakate Eintrittskarten Ausweise Medaillen Pokale Fußbälle Schläger Skier Schlitten Sättel
        Reifen Räder Pedale Sitze Fenster Türen Schlösser Schlüssel Bretter Balken Fliesen Platten Sandsäcke Zaunpfähle Blumentöpfe
        Blumenzwiebeln Sträucher Obstbäume Schaufeln Rechen Hämmer Sägen Zwingen Pinsel Tapetenrollen Farbeimer Handschuhkartons Vasen
        Kannen Pfannen Töpfe Tabletts Körbe Matten Schlafsäcke""",
    },
    "JOB": {
        "en": """
        actor auditor barber biologist blacksmith bricklayer bus_driver butcher carer cashier caterer chef cleaner clerk coach composer cook
        consultant courier curator dancer dentist designer detective dietician diver driver economist editor estate_agent firefighter
        fisherman florist forester glazier graphic_designer hairdresser historian interpreter janitor jeweller joiner judge lecturer
        lifeguard locksmith manager miller miner model musician notary office_clerk painter paramedic pastry_cook physicist physiotherapist
        pilot police_officer politician porter postman programmer psychologist receptionist reporter researcher sailor salesperson scientist
        secretary security_guard shepherd shoemaker singer social_worker software_developer solicitor stonemason surgeon tax_adviser
        technician toolmaker tour_guide trainer upholsterer waiter watchmaker weaver winemaker writer zookeeper""",
        "de": """
        Altenpfleger Augenarzt Bademeister Bäckermeister Bankkaufmann Bergmann Bibliothekarin Biologe Bootsbauer Brauer Busfahrer Chirurg
        Dachdeckerin Designer Dirigent Dolmetscher Drucker Erzieher Fahrlehrer Feuerwehrmann Fischer Fleischer Fliesenleger Florist Förster
        Friseur Geigenbauer Glaser Grafiker Hausmeister Hebamme Historiker Hotelfachmann Informatiker Jurist Kameramann Kellner
        Kfz-Mechatroniker Koch Konditor Kraftfahrer Kürschner Lackierer Lagerist Lokführer Maler Maschinenschlosser Maurer Metzger Müller
        Musiker Notar Pfarrer Pförtner Physiker Pilot Polizist Postbote Psychologe Raumausstatter Redakteur Reiseleiter Restaurator Richter
        Sänger Schäfer Schauspieler Schlosser Schmied Schornsteinfeger Schreiner Schriftsteller Schuhmacher Sekretär Sozialarbeiter
        Steinmetz Steuerberater Straßenbauer Taxifahrer Techniker Tierpfleger Uhrmacher Verkäufer Versicherungsmakler Wachmann Weber Winzer
        Zahnarzt Zahntechniker Zimmermann Zollbeamter""",
    },
    "DEPT": {
        "en": """
        Administration Audit Billing Catering Claims Communications Complaints Compliance Controlling Dispatch Design Development
        Engineering Environment Events Finance Fleet_Management Goods_In Health_and_Safety Housekeeping Innovation Insurance
        Investor_Relations Laboratory Library Management Media Operations Planning Post_Room Pricing Procurement Product_Management Projects
        Public_Relations Recruitment Repairs Returns Statistics Strategy Support Surgery Systems Taxation Technical_Services Testing
        Transport Treasury Underwriting Visitor_Services Welfare Works_Council""",
        "de": """
        Abrechnung Anwendungstechnik Arbeitssicherheit Arbeitsvorbereitung Archiv Auftragsbearbeitung Außendienst Bauabteilung Beschaffung
        Beschwerdestelle Betriebsrat Bibliothek Chirurgie Controlling Datenschutz Disposition Entwicklung Finanzen Forderungsmanagement
        Fuhrpark Geschäftsleitung Gestaltung Innendienst Innovation Kantine Kasse Konstruktion Kommunikation Kostenrechnung Kundenbetreuung
        Labor Leergut Lizenzen Mahnwesen Materialprüfung Medien Montage Öffentlichkeitsarbeit Patente Pforte Planung Poststelle Presse
        Produktmanagement Projekte Rechnungswesen Reklamation Reparatur Revision Sachbearbeitung Schulung Sekretariat Statistik Steuern
        Strategie Telefonzentrale Umwelt Verkauf Versand Verwaltung Wareneingang Werkstatt Werkschutz Zentrale Zoll""",
    },
    "COLOR": {
        "en": """
        green purple gold burgundy crimson scarlet emerald_green mint_green lime_green khaki sand ivory off-white charcoal slate_grey
        sky_blue royal_blue teal indigo lilac lavender magenta salmon apricot mustard_yellow lemon_yellow ochre rust_red bronze chestnut
        chocolate_brown pearl_white jet_black dove_grey petrol bright_red pale_green dark_blue""",
        "de": """
        grün lila gold weinrot purpurrot scharlachrot smaragdgrün mintgrün hellgrün khaki sandfarben elfenbein altweiß anthrazitgrau
        schiefergrau himmelblau königsblau petrol indigo flieder lavendel magenta lachs aprikose senfgelb zitronengelb ocker rostrot bronze
        kastanienbraun schokoladenbraun perlweiß tiefschwarz taubengrau moosgrün knallrot dunkelblau hellgrau dunkelbraun""",
    },
    "MATERIAL": {
        "en": """
        aluminium concrete plastic porcelain sandstone silk velvet velour walnut maple cherry spruce larch birch mahogany teak iron zinc tin
        bronze silver titanium carbon_fibre acrylic nylon polyester jute hemp straw wicker rattan paper cardboard plaster terracotta enamel
        ceramic limestone basalt quartz wax gold cast_iron stainless_steel chipboard plywood fleece canvas denim suede polypropylene
        recycled_plastic""",
        "de": """
        Aluminium Beton Kunststoff Porzellan Sandstein Seide Samt Nussbaum Ahorn Kirschholz Fichte Lärche Birke Mahagoni Teakholz Eisen Zink
        Zinn Bronze Silber Titan Kohlefaser Acryl Nylon Polyester Jute Hanf Stroh Weide Rattan Papier Pappe Gips Terrakotta Emaille Keramik
        Kalkstein Basalt Quarz Wachs Gold Gusseisen Edelstahl Spanplatte Sperrholz Fleece Segeltuch Wildleder Polypropylen Altplastik Loden
        Bütten""",
    },
    "ANIMAL": {
        "en": """
        fox red_deer roe_deer rabbit squirrel weasel stoat rat mouse_deer bear wolf jackal tiger leopard puma cheetah elephant giraffe zebra
        antelope bison buffalo yak llama alpaca camel donkey mule pony goat ram swan goose mallard grebe cormorant gannet puffin gull tern
        raven jackdaw magpie jay woodpecker nightingale robin wren blackbird thrush starling swallow swift lark cuckoo pigeon partridge
        pheasant quail peacock ostrich eagle buzzard kite kestrel owl vulture toad newt lizard viper tortoise turtle crocodile salmon trout
        pike perch carp eel herring mackerel shark dolphin whale porpoise walrus octopus crab lobster butterfly bumblebee dragonfly""",
        "de": """
        Fuchs Rothirsch Reh Kaninchen Eichhörnchen Wiesel Hermelin Ratte Bär Wolf Schakal Tiger Leopard Puma Gepard Elefant Giraffe Zebra
        Antilope Wisent Büffel Yak Lama Alpaka Kamel Esel Maultier Pony Ziege Widder Schwan Graugans Stockente Kormoran Möwe Seeschwalbe
        Rabe Dohle Elster Eichelhäher Specht Nachtigall Rotkehlchen Zaunkönig Amsel Drossel Star Schwalbe Mauersegler Lerche Kuckuck Taube
        Rebhuhn Fasan Wachtel Pfau Strauß Adler Bussard Milan Habicht Geier Kröte Molch Eidechse Kreuzotter Schildkröte Krokodil Lachs
        Forelle Hecht Barsch Karpfen Aal Hering Makrele Hai Delfin Wal Walross Krake Krebs Hummer Schmetterling Hummel Libelle Hirschkäfer""",
    },
    "FOOD": {
        "en": """
        tomato_soup chicken_curry beef_stew vegetable_lasagne pea_soup cheese_sandwich roast_potatoes fried_fish salmon_fillet lamb_chops
        pork_pie shepherd's_pie sausage_roll omelette scrambled_eggs pasta_bake spinach_quiche pizza meatballs goulash paella sushi couscous
        stuffed_peppers grilled_aubergine ratatouille leek_gratin cauliflower_cheese green_salad fruit_salad coleslaw hummus rice_pudding
        chocolate_cake cheesecake lemon_tart cherry_pie gingerbread shortbread scones muffins waffles doughnuts crumble trifle
        vanilla_ice_cream strawberry_jam marmalade honey_cake walnut_bread white_rolls baguette garlic_bread cornbread butter_biscuits
        nut_cake apricot_slice smoked_trout herring_salad prawn_cocktail vegetable_broth miso_soup chilli tofu_curry falafel veggie_burger
        fish_and_chips baked_beans mashed_potato gnocchi ravioli polenta""",
        "de": """
        Tomatensuppe Hühnercurry Rindergulasch Gemüselasagne Erbsensuppe Käsebrot Bratkartoffeln Backfisch Lachsfilet Lammkoteletts
        Schweinebraten Bratwurst Omelett Rührei Nudelauflauf Spinatquiche Pizza Frikadellen Gulaschsuppe Paella Sushi Couscous
        gefüllte_Paprika Ratatouille Lauchgratin Blumenkohlauflauf Feldsalat Obstsalat Krautsalat Hummus Milchreis Schokoladenkuchen
        Käsekuchen Zitronentarte Kirschkuchen Lebkuchen Butterkekse Waffeln Krapfen Streuselkuchen Rote_Grütze Vanilleeis Erdbeermarmelade
        Honigkuchen Walnussbrot Brötchen Baguette Knoblauchbrot Nusskuchen Aprikosenschnitte Räucherforelle Heringssalat Garnelencocktail
        Gemüsebrühe Chili Tofucurry Falafel Veggieburger Spätzle Maultaschen Kartoffelpuffer Kartoffelbrei Gnocchi Ravioli Polenta
        Sauerbraten Rouladen Kohlrouladen Wirsingeintopf Leberknödel Grünkernsuppe Apfelstrudel Kaiserschmarrn Zwetschgenknödel Quarkspeise
        Bienenstich Mohnkuchen Schwarzwälder_Kirschtorte Königsberger_Klopse Labskaus Matjes Grünkohl""",
    },
    "EVENT": {
        "en": """
        opening_ceremony anniversary_dinner barbecue bazaar book_fair carnival choir_rehearsal christmas_party cinema_club cleaning_day
        clothing_swap coffee_morning community_breakfast conference cookery_course crafts_fair cycle_tour dance_night dinner_dance
        drama_workshop family_day farewell_party farmers'_market fashion_show fire_drill fireworks first-aid_course football_match
        fundraiser gala general_meeting guided_walk hackathon information_evening kick-off_meeting lecture light_festival marathon
        music_festival neighbourhood_meeting networking_lunch opera_evening orientation_day parade photo_exhibition picnic plant_sale
        poetry_evening product_launch puppet_show regatta reunion roadshow school_play science_fair seminar singing_evening sports_day
        stakeholder_meeting street_party symposium tasting_session team_building_day theatre_evening toy_sale treasure_hunt walking_tour
        webinar workshop""",
        "de": """
        Abschiedsfeier Adventsmarkt Aktionstag Ausstellungseröffnung Bastelnachmittag Benefizkonzert Betriebsversammlung Blutspendetermin
        Brandschutzübung Buchmesse Bürgerversammlung Chorprobe Einweihung Elternabend Erste-Hilfe-Kurs Familientag Faschingsfeier Fachtagung
        Fahrradtour Frühjahrsputz Fußballturnier Gartenfest Gemeindefrühstück Gesundheitstag Grillfest Handballturnier Hausmesse Infoabend
        Jahreshauptversammlung Kabarettabend Karneval Kinoabend Kleidertausch Kochkurs Konferenz Kunstmarkt Lesung Lichterfest Liederabend
        Marathon Maifest Messe Musikfestival Museumsnacht Orgelkonzert Osterfeuer Pflanzenbörse Podiumsdiskussion Poetry-Slam Probealarm
        Puppentheater Radrennen Regatta Ruderwettkampf Schnuppertag Schulung Seminar Silvesterfeier Sommerkonzert Spieleabend Sprachkurs
        Sternwanderung Symposium Tanzabend Tag_der_offenen_Tür Teamtag Theateraufführung Turnfest Umzug Vernissage Volkslauf Vortrag
        Waldspaziergang Weihnachtsfeier Weihnachtsmarkt Weinprobe Wohltätigkeitsbasar Workshop Zirkusvorstellung""",
    },
    "TOPIC": {
        "en": """
        accounting algebra anatomy archaeology architecture art_history astrology_of_the_ancients biochemistry biology bookbinding
        business_law chemistry child_care civil_engineering climate_science computer_science conflict_resolution cookery cyber_security
        dance data_protection design drawing economics ecology electronics employment_law engineering environmental_law ethics fashion
        film_studies fire_safety forestry furniture_restoration gardening genetics geography geometry glass_blowing graphic_design history
        hydrology immunology interior_design jewellery_making journalism knitting leadership linguistics literature logic logistics
        machine_learning marketing mechanics media_studies medicine metalwork mountaineering nursing oceanography painting palaeontology
        patent_law pharmacology philosophy physics physiology plumbing poetry politics project_management psychology public_speaking sailing
        sculpture sociology sound_engineering surveying theology time_management translation veterinary_medicine video_editing viticulture
        web_design wine_making yoga zoology""",
        "de": """
        Algebra Anatomie Arbeitsrecht Archäologie Architektur Bauphysik Betriebswirtschaft Biochemie Biologie Brandschutz Buchbinden Chemie
        Datenschutz Denkmalpflege Drechseln Elektronik Elektrotechnik Energieberatung Ergonomie Erste_Hilfe Ethik Filmschnitt
        Forstwirtschaft Führung Gartenbau Genetik Geografie Geometrie Geschichte Glasbläserei Grafik Handelsrecht Hydrologie Informatik
        Innenarchitektur Journalismus Kinderpflege Klavierbau Klimakunde Kochen Konfliktlösung Korbflechten Krankenpflege Kunstgeschichte
        Landwirtschaft Linguistik Literatur Logik Logistik Malerei Marketing Maschinenbau Maschinelles_Lernen Mechanik Medizin Metallbau
        Mietrecht Möbelrestaurierung Nähen Ökologie Ozeanografie Pädagogik Paläontologie Pharmazie Philosophie Physik Politik Programmieren
        Projektmanagement Psychologie Rhetorik Schmuckgestaltung Segeln Sozialrecht Soziologie Stricken Theologie Tiermedizin Tontechnik
        Übersetzen Umweltrecht Vermessung Verwaltungsrecht Volkswirtschaft Webdesign Weinbau Yoga Zeichnen Zeitmanagement Zoologie""",
    },
    "LANGUAGE": {
        "en": """
        German English Portuguese Russian Chinese Korean Vietnamese Thai Norwegian Icelandic Irish Romanian Hungarian Bulgarian Croatian
        Serbian Slovak Slovenian Albanian Estonian Latvian Lithuanian Hebrew Persian Urdu Bengali Tamil Swahili Catalan Basque Latin
        Esperanto Malay Indonesian Sign_Language Macedonian Georgian Armenian Kurdish""",
        "de": """
        Deutsch Englisch Portugiesisch Russisch Chinesisch Koreanisch Vietnamesisch Thai Norwegisch Isländisch Irisch Rumänisch Ungarisch
        Bulgarisch Kroatisch Serbisch Slowakisch Slowenisch Albanisch Estnisch Lettisch Litauisch Hebräisch Persisch Urdu Bengalisch Tamil
        Suaheli Katalanisch Baskisch Latein Esperanto Malaiisch Indonesisch Gebärdensprache Mazedonisch Georgisch Armenisch Kurdisch
        Plattdeutsch""",
    },
    "ATTRIBUTES": {
        "en": """
        wage salary bonus overtime_rate commission pension_scheme notice_period probation_period working_hours break_time holiday_allowance
        job_title employer employee_number line_manager desk_number extension fax_number mailbox door_code wifi_password login domain_name
        hosting_provider programming_language operating_system memory_size disk_space screen_size resolution battery_life charging_time
        boot_time frame_rate bandwidth latency warranty guarantee service_interval inspection_date repair_cost hourly_rate call-out_charge
        mileage fuel_type horsepower top_speed tyre_pressure engine_size number_plate chassis_number insurance_premium excess policy_number
        cover beneficiary claim_number adjuster hospital ward surgeon blood_group allergy vaccination prescription dosage appointment
        diagnosis treatment insurer_code body_weight pulse sleep_time bedtime heating_cost floor_area ceiling_height building_year
        energy_class listed_status garden_size parking_space key_number lock_type window_type roof_material neighbour estate_agent
        asking_price mortgage interest_rate instalment loan_term credit_limit overdraft exchange_rate share_price dividend market_share
        growth_rate headcount sales_target cost_centre purchase_order goods_receipt batch_number lot_size stock_level reorder_point shelf
        bay aisle lead_time minimum_order packaging gross_weight net_weight volume customs_code country_of_origin importer exporter
        shipping_line vessel harbour berth container_number seal_number arrival_date unloading_time recipe portion_size cooking_time
        oven_temperature calories fat_content vintage grape_variety alcohol_content bitterness brewer vineyard caterer menu starter dessert
        seating_plan dress_code guest_of_honour host venue stage ticket_price doors_open interval encore soloist conductor choir orchestra
        director_of_photography screenwriter leading_actor running_time episode season channel broadcaster audience rating critic edition
        print_run number_of_pages isbn illustrator dedication chapter genre semester lecture_hall seminar_room tutor_group examiner
        exam_date essay_topic word_limit scholarship tuition dormitory canteen_hours mascot school_colours league stadium goalkeeper captain
        referee half-time_score final_score substitute injury transfer_fee shirt_number personal_best finish_time altitude gradient
        trail_length summit hut rope_length snow_depth water_level current wind_direction visibility tide sunrise sunset rainfall humidity
        soil_type fertiliser sowing_time harvest_time spacing pest breed coat_colour feeding_time vet microchip_number kennel
        owner's_address adoption_fee wing_colour nesting_place clutch_size gestation_period prey call""",
        "de": """
        der:Lohn das:Gehalt die:Zulage der:Stundensatz die:Provision die:Kündigungsfrist die:Probezeit die:Arbeitszeit die:Pausenzeit
        der:Urlaubsanspruch die:Stellenbezeichnung der:Arbeitgeber die:Personalnummer die:Vorgesetzte die:Durchwahl die:Faxnummer
        der:Türcode der:Zugangscode das:Betriebssystem die:Speichergröße die:Bildschirmgröße die:Auflösung die:Akkulaufzeit die:Ladezeit
        die:Bandbreite die:Garantie der:Wartungsabstand der:Prüftermin die:Reparaturkosten die:Anfahrtspauschale der:Kilometerstand
        die:Kraftstoffart die:Motorleistung die:Höchstgeschwindigkeit der:Reifendruck der:Hubraum das:Kennzeichen die:Fahrgestellnummer
        die:Versicherungsprämie die:Selbstbeteiligung die:Policennummer die:Schadennummer der:Gutachter das:Krankenhaus die:Station
        die:Chirurgin die:Blutgruppe die:Allergie die:Impfung das:Rezept die:Dosierung der:Arzttermin die:Diagnose die:Behandlung
        das:Körpergewicht der:Puls die:Schlafenszeit die:Heizkosten die:Wohnfläche die:Deckenhöhe das:Baujahr die:Energieklasse
        die:Gartengröße der:Stellplatz die:Schlüsselnummer das:Dachmaterial der:Nachbar die:Maklerin der:Kaufpreis die:Hypothek der:Zinssatz
        die:Rate die:Laufzeit der:Kreditrahmen der:Wechselkurs der:Aktienkurs die:Dividende der:Marktanteil die:Wachstumsrate das:Umsatzziel
        die:Kostenstelle der:Wareneingang die:Chargennummer die:Losgröße der:Lagerbestand der:Meldebestand das:Regal die:Lieferzeit
        die:Mindestmenge die:Verpackung das:Bruttogewicht das:Nettogewicht das:Volumen die:Zolltarifnummer das:Ursprungsland der:Importeur
        die:Reederei das:Schiff der:Hafen der:Liegeplatz die:Containernummer das:Ankunftsdatum die:Portionsgröße die:Garzeit
        die:Ofentemperatur der:Fettgehalt der:Jahrgang die:Rebsorte der:Alkoholgehalt der:Brauer das:Weingut die:Speisekarte die:Vorspeise
        der:Nachtisch die:Kleiderordnung der:Ehrengast die:Gastgeberin der:Veranstaltungsort die:Bühne der:Kartenpreis der:Einlass die:Pause
        die:Zugabe der:Solist die:Dirigentin der:Chor das:Orchester der:Hauptdarsteller die:Spieldauer die:Folge die:Staffel der:Sender
        das:Publikum die:Bewertung der:Kritiker die:Auflage die:Seitenzahl der:Illustrator die:Widmung das:Kapitel die:Gattung das:Semester
        der:Hörsaal die:Prüferin der:Prüfungstermin das:Aufsatzthema die:Wortgrenze das:Stipendium die:Studiengebühr das:Wohnheim
        das:Maskottchen die:Liga das:Stadion der:Torwart die:Kapitänin der:Schiedsrichter der:Halbzeitstand der:Endstand die:Verletzung
        die:Ablösesumme die:Trikotnummer die:Bestzeit die:Steigung die:Streckenlänge der:Gipfel die:Hütte die:Schneehöhe der:Wasserstand
        die:Windrichtung die:Sichtweite der:Sonnenaufgang der:Sonnenuntergang die:Regenmenge die:Luftfeuchte die:Bodenart der:Dünger
        die:Saatzeit die:Erntezeit der:Pflanzabstand der:Schädling die:Rasse die:Fellfarbe die:Fütterungszeit die:Tierärztin die:Chipnummer
        der:Zwinger die:Schutzgebühr der:Nistplatz die:Gelegegröße die:Tragzeit die:Beute der:Ruf""",
    },
    "VERBS": {
        "en": """
        hire/hired sack/sacked fetch/fetched ship/shipped stow/stowed store/stored lift/lifted lower/lowered turn/turned fold/folded
        press/pressed mend/mended fix/fixed adjust/adjusted calibrate/calibrated assemble/assembled dismantle/dismantled crush/crushed
        saw/sawn drill/drilled glue/glued nail/nailed sew/sewn knit/knitted weave/woven cook/cooked fry/fried burn/burnt melt/melted
        freeze/frozen chill/chilled heat/heated warm/warmed dry/dried soak/soaked rinse/rinsed scrub/scrubbed sweep/swept dust/dusted
        wipe/wiped copy/copied scan/scanned print/printed file/filed archive/archived record/recorded register/registered insure/insured
        value/valued auction/auctioned swap/swapped exchange/exchanged trade/traded import/imported export/exported smuggle/smuggled
        seize/seized confiscate/confiscated recover/recovered rescue/rescued protect/protected guard/guarded watch/watched observe/observed
        study/studied examine/examined analyse/analysed review/reviewed recommend/recommended advertise/advertised promote/promoted
        display/displayed exhibit/exhibited unveil/unveiled wrap/wrapped unwrap/unwrapped decorate/decorated frame/framed hang/hung
        mount/mounted plant/planted water/watered dig/dug bury/buried uncover/uncovered pull/pulled push/pushed throw/thrown kick/kicked
        hit/hit park/parked tow/towed load/loaded charge/charged reset/reset program/programmed update/updated upgrade/upgraded
        configure/configured lock/locked unlock/unlocked seal/sealed stamp/stamped post/posted forward/forwarded receive/received
        accept/accepted refuse/refused claim/claimed reserve/reserved book/booked lease/leased acquire/acquired purchase/purchased
        demand/demanded request/requested propose/proposed suggest/suggested explain/explained""",
        "de": """
        holt/geholt verschickt verstaut lagert/gelagert hebt/gehoben senkt/gesenkt dreht/gedreht faltet/gefaltet presst/gepresst
        flickt/geflickt justiert kalibriert montiert demontiert zerlegt zersägt gebohrt klebt/geklebt nagelt/genagelt näht/genäht
        strickt/gestrickt webt/gewebt kocht/gekocht brät/gebraten verbrennt/verbrannt schmilzt/geschmolzen kühlt/gekühlt erhitzt
        wärmt/gewärmt trocknet/getrocknet spült/gespült schrubbt/geschrubbt fegt/gefegt wischt/gewischt kopiert gescannt druckt/gedruckt
        registriert versichert versteigert tauscht/getauscht importiert exportiert geschmuggelt beschlagnahmt geborgen gerettet geschützt
        bewacht beobachtet untersucht analysiert empfohlen beworben gezeigt enthüllt eingewickelt geschmückt gerahmt gehängt gepflanzt
        gegossen vergraben gezogen geschoben geworfen getreten geparkt abgeschleppt beladen aufgeladen zurückgesetzt programmiert
        aktualisiert eingestellt abgeschlossen aufgeschlossen versiegelt gestempelt weitergeleitet empfangen angenommen abgelehnt
        beansprucht reserviert gebucht gepachtet erworben angefordert vorgeschlagen erklärt beanstandet gelöscht umgebaut verschenkt verlegt
        verschoben verpfändet vermessen gelagert verziert""",
    },
}
PLACES = {
    "en": [
        "in the attic", "behind the counter", "at the airport", "in the lobby", "next to the stairs", "on the balcony", "in the library", "near the bus stop",
        "under the desk", "at the petrol station", "in front of the church", "in the garage", "by the lake", "on the bottom shelf", "in the left-hand drawer",
        "outside the gym", "on the pier", "at the market", "in the lift", "beside the fountain", "inside the tent", "at the back door", "in the courtyard",
        "along the fence", "in the car park", "beneath the window", "in the laboratory", "at the reception desk", "over the entrance", "on deck",
        "in the vault", "at the building site", "in the hospital ward", "on platform four", "in the control room", "at the kiosk", "behind the curtain",
        "in the orchard", "at the crossroads", "in the sports hall",
    ],
    "de": [
        "auf dem Dachboden", "hinter der Theke", "am Flughafen", "in der Eingangshalle", "neben der Treppe", "auf dem Balkon", "in der Bibliothek",
        "bei der Haltestelle", "unter dem Schreibtisch", "an der Tankstelle", "vor der Kirche", "in der Garage", "am See", "im untersten Fach",
        "in der linken Schublade", "vor der Turnhalle", "auf dem Steg", "auf dem Markt", "im Aufzug", "neben dem Brunnen", "im Zelt", "an der Hintertür",
        "im Innenhof", "am Zaun entlang", "auf dem Parkplatz", "unter dem Fenster", "im Labor", "am Empfang", "über dem Eingang", "an Deck", "im Tresorraum",
        "auf der Baustelle", "auf der Krankenstation", "auf Gleis vier", "in der Leitwarte", "am Kiosk", "hinter dem Vorhang", "im Obstgarten",
        "an der Kreuzung", "in der Sporthalle",
    ],
}
REASONS = {
    "en": [
        "the lease had run out", "the battery was flat", "the boss insisted on it", "the old supplier went bankrupt", "the colour had faded",
        "the guarantee was about to end", "somebody had complained", "a storm was coming", "the lock was jammed", "it blocked the way",
        "the budget had to be spent", "the label was wrong", "it no longer fitted", "the auditors wanted to see it", "the power had failed",
        "it was needed abroad", "the children were afraid of it", "a part was missing", "the tests had gone well", "it smelled of smoke",
        "the schedule was too tight", "the landlord wished it", "the manual was lost", "it was on offer", "a visitor had tripped over it",
        "the season was over", "the machine kept stopping", "the licence had expired", "the team was short of staff", "it had won a prize",
    ],
    "de": [
        "der Mietvertrag auslief", "der Akku leer war", "die Chefin darauf bestand", "der alte Lieferant pleite war", "die Farbe verblasst war",
        "die Garantie bald endete", "sich jemand beklagt hatte", "ein Sturm aufzog", "das Schloss klemmte", "es den Weg versperrte",
        "das Budget verbraucht werden musste", "das Etikett falsch war", "es nicht mehr passte", "die Prüfer es sehen wollten", "der Strom ausgefallen war",
        "es im Ausland gebraucht wurde", "die Kinder sich davor fürchteten", "ein Teil fehlte", "die Tests gut verlaufen waren", "es nach Rauch roch",
        "der Zeitplan zu eng war", "der Vermieter es wünschte", "die Anleitung verloren war", "es im Angebot war", "ein Besucher darüber gestolpert war",
        "die Saison vorbei war", "die Maschine ständig anhielt", "die Lizenz abgelaufen war", "Personal fehlte", "es einen Preis gewonnen hatte",
    ],
}
