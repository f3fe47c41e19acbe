"""What the rules of the languages that are written like English share and do not: words for signs, units, money, months.

One table for each language; `workers.text.normalization.western` makes rules of it.
"""

from typing import Final

import msgspec


class Name(msgspec.Struct, frozen=True):
    """Of something counted."""

    one: str
    many: str
    is_feminine: bool = False


class Money(msgspec.Struct, frozen=True):
    """A currency and the hundredth of it, if anybody speaks of that."""

    unit: Name
    hundredth: Name | None = None


class Tongue(msgspec.Struct, frozen=True, kw_only=True):
    """The words of a language."""

    language: str
    group: str
    """What may stand between thousands, as a class of characters."""
    points: dict[str, str]
    """A sign before decimals and the word for it."""
    minus: str
    plus: str
    to: str
    """Between the ends of a range."""
    over: str
    percent: str
    per_mille: str
    degrees: Name
    celsius: str
    units: dict[str, Name]
    money: dict[str, Money]
    scales: dict[str, str]
    """After an amount of money: "M" → "million"."""
    of_scale: str
    """Between scale and currency."""
    cents: str
    """Between the amount and the hundredths."""
    months: tuple[str, ...]
    date: str
    """With {day}, {month} and {year}."""
    first_day: str
    is_month_first: bool = False
    time: str
    """With {hour} and {minute}."""
    full_hour: str
    hours: dict[str, str]
    """Hours that are not said as their numbers are."""
    fractions: dict[str, str]
    and_fractions: dict[str, str]
    """After a number: "1½"."""
    abbreviations: dict[str, str]
    """Without the last full stop."""
    may_end: frozenset[str]
    """Those abbreviations after which a sentence may end."""
    before_number: dict[str, str]
    """Abbreviations, with or without a full stop, that mean something before a number alone."""
    signs: dict[str, str]
    address: dict[str, str]
    """Signs of e-mail addresses and URLs."""


def _names(lines: str) -> dict[str, Name]:
    """From lines `km, KM | kilometre | kilometres | f`."""
    table = {}
    for line in lines.strip().splitlines():
        signs, one, *rest = (part.strip() for part in line.split("|"))
        name = Name(one, rest[0] if rest and rest[0] else one, rest[1:] == ["f"])
        table.update(dict.fromkeys((sign.strip() for sign in signs.split(",")), name))
    return table


def _money(lines: str) -> dict[str, Money]:
    """From lines `$, USD | dollar | dollars | m | cent | cents`."""
    table = {}
    for line in lines.strip().splitlines():
        signs, one, many, gender, *rest = (part.strip() for part in line.split("|"))
        money = Money(Name(one, many, gender == "f"), Name(rest[0], rest[1]) if rest else None)
        table.update(dict.fromkeys((sign.strip() for sign in signs.split(",")), money))
    return table


def _words(line: str) -> tuple[str, ...]:
    return tuple(line.split())


def _pairs(line: str) -> dict[str, str]:
    """From `Dr = Doctor; Prof = Professor`."""
    return {key.strip(): value.strip() for key, _, value in (pair.partition("=") for pair in line.split(";"))}


def _address(words: str) -> dict[str, str]:
    """From the names, in order, of the signs below."""
    return dict(zip(["@", ".", "/", "-", "_", "?", "=", "&", "#", "+", "%", ":", "~"], words.split(","), strict=True))


_ENGLISH_UNITS: Final = """
mm | millimeter | millimeters
cm | centimeter | centimeters
m | meter | meters
km | kilometer | kilometers
µm, μm | micrometer | micrometers
nm | nanometer | nanometers
ft | foot | feet
yd | yard | yards
mi | mile | miles
mg | milligram | milligrams
µg, μg, mcg | microgram | micrograms
g | gram | grams
kg | kilogram | kilograms
lb, lbs | pound | pounds
oz | ounce | ounces
ml, mL | milliliter | milliliters
cl, cL | centiliter | centiliters
l, L | liter | liters
ms | millisecond | milliseconds
s, sec, secs | second | seconds
min, mins | minute | minutes
h, hr, hrs | hour | hours
Hz | hertz | hertz
kHz | kilohertz | kilohertz
MHz | megahertz | megahertz
GHz | gigahertz | gigahertz
W | watt | watts
kW | kilowatt | kilowatts
MW | megawatt | megawatts
GW | gigawatt | gigawatts
Wh | watt-hour | watt-hours
kWh | kilowatt-hour | kilowatt-hours
V | volt | volts
mV | millivolt | millivolts
kV | kilovolt | kilovolts
A | amp | amps
mA | milliamp | milliamps
mAh | milliamp-hour | milliamp-hours
Ω | ohm | ohms
kB, KB | kilobyte | kilobytes
MB | megabyte | megabytes
GB | gigabyte | gigabytes
TB | terabyte | terabytes
kbps | kilobit per second | kilobits per second
Mbps | megabit per second | megabits per second
Gbps | gigabit per second | gigabits per second
MB/s | megabyte per second | megabytes per second
GB/s | gigabyte per second | gigabytes per second
Pa | pascal | pascals
kPa | kilopascal | kilopascals
hPa | hectopascal | hectopascals
kJ | kilojoule | kilojoules
kcal | kilocalorie | kilocalories
dB | decibel | decibels
px | pixel | pixels
ha | hectare | hectares
m², m2 | square meter | square meters
km², km2 | square kilometer | square kilometers
cm² | square centimeter | square centimeters
ft², sq ft | square foot | square feet
m³, m3 | cubic meter | cubic meters
cm³ | cubic centimeter | cubic centimeters
km/h, kph, kmh | kilometer per hour | kilometers per hour
m/s | meter per second | meters per second
m/s² | meter per second squared | meters per second squared
mph | mile per hour | miles per hour
mpg | mile per gallon | miles per gallon
rpm | revolution per minute | revolutions per minute
bpm | beat per minute | beats per minute
fps | frame per second | frames per second
¢ | cent | cents
"""

_AMERICAN: Final = Tongue(
    language="en",
    group=",",
    points={".": "point"},
    minus="minus",
    plus="plus",
    to="to",
    over="over",
    percent="percent",
    per_mille="per mille",
    degrees=Name("degree", "degrees"),
    celsius="Celsius",
    units=_names(_ENGLISH_UNITS),
    money=_money("""
        US$, $, USD | dollar | dollars | m | cent | cents
        C$, CA$, CAD | Canadian dollar | Canadian dollars | m | cent | cents
        A$, AU$, AUD | Australian dollar | Australian dollars | m | cent | cents
        €, EUR | euro | euros | m | cent | cents
        £, GBP | pound | pounds | m | penny | pence
        ¥, JPY | yen | yen | m
        CN¥, CNY | yuan | yuan | m
        ₹, INR | rupee | rupees | m | paisa | paise
        ₩, KRW | won | won | m
        ₽, RUB | ruble | rubles | m
        ₿, BTC | bitcoin | bitcoins | m
        R$, BRL | real | reais | m | centavo | centavos
        CHF | Swiss franc | Swiss francs | m
    """),
    scales=_pairs(
        "k = thousand; K = thousand; m = million; M = million; mn = million; bn = billion; b = billion; B = billion; "
        "T = trillion; tn = trillion; thousand = thousand; million = million; billion = billion; trillion = trillion"
    ),
    of_scale=" ",
    cents=" and ",
    months=_words("January February March April May June July August September October November December"),
    date="{month} {day}, {year}",
    first_day="1st",
    is_month_first=True,
    time="{hour} {minute}",
    full_hour="{hour} o'clock",
    hours={},
    fractions={
        "1/2": "one half",
        "1/3": "one third",
        "2/3": "two thirds",
        "1/4": "one quarter",
        "3/4": "three quarters",
        "1/5": "one fifth",
        "2/5": "two fifths",
        "3/5": "three fifths",
        "4/5": "four fifths",
        "1/6": "one sixth",
        "5/6": "five sixths",
        "1/7": "one seventh",
        "1/8": "one eighth",
        "3/8": "three eighths",
        "5/8": "five eighths",
        "7/8": "seven eighths",
        "1/9": "one ninth",
        "1/10": "one tenth",
    },
    and_fractions={"1/2": "and a half", "1/3": "and a third", "1/4": "and a quarter"},
    abbreviations=_pairs(
        "Dr = Doctor; Mr = Mister; Prof = Professor; Capt = Captain; Lt = Lieutenant; Sgt = Sergeant; Col = Colonel; "
        "Gen = General; Gov = Governor; Sen = Senator; Rep = Representative; Rev = Reverend; Hon = Honorable; "
        "Pres = President; Supt = Superintendent; Messrs = Messieurs; Mt = Mount; Ft = Fort; "
        "e.g = for example; i.e = that is; cf = compare; viz = namely; vs = versus; approx = approximately; "
        "etc = et cetera; al = al; Inc = Incorporated; Ltd = Limited; Co = Company; Corp = Corporation; "
        "Jr = Junior; Sr = Senior; Ave = Avenue; Blvd = Boulevard; Rd = Road; Dept = Department; dept = department; "
        "Univ = University; est = established; incl = including; misc = miscellaneous; "
        "Esq = Esquire; govt = government; Bros = Brothers; Sept = September; Jan = January; Feb = February; Aug = August; "
        "Oct = October; Nov = November; Dec = December"
    ),
    may_end=frozenset(
        [
            "etc",
            "al",
            "Inc",
            "Ltd",
            "Co",
            "Corp",
            "Jr",
            "Sr",
            "Ave",
            "Blvd",
            "Rd",
            "Dept",
            "dept",
            "Esq",
            "Bros",
            "govt",
            "Univ",
            "misc",
        ]
    ),
    before_number=_pairs(
        "No = number; no = number; Nos = numbers; nos = numbers; № = number; p = page; pp = pages; vol = volume; Vol = Volume; "
        "ch = chapter; Ch = Chapter; fig = figure; Fig = Figure; figs = figures; Figs = Figures; eq = equation; Eq = Equation; "
        "ext = extension; Ext = extension; Rm = Room; Ste = Suite; "
        "sec = section; Sec = Section; art = article; Art = Article; Apt = Apartment; ver = version; "
        "Mar = March; Apr = April; Jun = June; Jul = July; Sep = September; § = section; ca = circa; c = circa"
    ),
    signs=_pairs(
        "& = and; + = plus; × = times; ÷ = divided by; ± = plus or minus; ≈ = approximately; ≠ = is not equal to; "
        "≤ = is at most; ≥ = is at least; < = is less than; > = is greater than; @ = at; → = to; √ = square root of; "
        "∞ = infinity; π = pi; % = percent; ° = degrees; # = hash"
    )
    | {"=": "equals"},
    address=_address(
        " at , dot , slash , dash , underscore , question mark , equals , and , hash , plus , percent , colon , tilde "
    ),
)

_BRITISH_SPELLING: Final = (("meter", "metre"), ("liter", "litre"))


def _british(name: Name) -> Name:
    one, many = name.one, name.many
    for old, new in _BRITISH_SPELLING:
        one, many = one.replace(old, new), many.replace(old, new)
    return Name(one, many)


_BRITISH: Final = msgspec.structs.replace(
    _AMERICAN,
    units={sign: _british(name) for sign, name in _AMERICAN.units.items()},
    date="the {day} of {month}, {year}",
    is_month_first=False,
)

_SPANISH: Final = Tongue(
    language="es",
    group=".",
    points={",": "coma", ".": "punto"},
    minus="menos",
    plus="más",
    to="a",
    over="sobre",
    percent="por ciento",
    per_mille="por mil",
    degrees=Name("grado", "grados"),
    celsius="Celsius",
    units=_names("""
        mm | milímetro | milímetros
        cm | centímetro | centímetros
        m | metro | metros
        km | kilómetro | kilómetros
        mg | miligramo | miligramos
        g | gramo | gramos
        kg | kilogramo | kilogramos
        t | tonelada | toneladas | f
        lb, lbs | libra | libras | f
        ml, mL | mililitro | mililitros
        l, L | litro | litros
        s | segundo | segundos
        min | minuto | minutos
        h | hora | horas | f
        W | vatio | vatios
        kW | kilovatio | kilovatios
        kWh | kilovatio hora | kilovatios hora
        V | voltio | voltios
        mA | miliamperio | miliamperios
        Hz | hercio | hercios
        MHz | megahercio | megahercios
        GHz | gigahercio | gigahercios
        MB | megabyte | megabytes
        GB | gigabyte | gigabytes
        TB | terabyte | terabytes
        ha | hectárea | hectáreas | f
        m² | metro cuadrado | metros cuadrados
        km² | kilómetro cuadrado | kilómetros cuadrados
        m³ | metro cúbico | metros cúbicos
        km/h | kilómetro por hora | kilómetros por hora
        m/s | metro por segundo | metros por segundo
    """),
    money=_money("""
        US$, $, USD | dólar | dólares | m | centavo | centavos
        €, EUR | euro | euros | m | céntimo | céntimos
        £, GBP | libra | libras | f | penique | peniques
        ¥, JPY | yen | yenes | m
        ₹, INR | rupia | rupias | f | paisa | paisas
        MXN | peso | pesos | m | centavo | centavos
    """),
    scales=_pairs("M = millones; mil = mil; millón = millón; millones = millones; billones = billones"),
    of_scale=" de ",
    cents=" con ",
    months=_words("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
    date="{day} de {month} de {year}",
    first_day="1",
    time="{hour} y {minute}",
    full_hour="{hour} en punto",
    hours={"1": "una", "21": "veintiuna"},
    fractions={
        "1/2": "un medio",
        "1/3": "un tercio",
        "2/3": "dos tercios",
        "1/4": "un cuarto",
        "3/4": "tres cuartos",
        "1/5": "un quinto",
        "1/8": "un octavo",
    },
    and_fractions={"1/2": "y medio", "1/3": "y un tercio", "1/4": "y cuarto"},
    abbreviations=_pairs(
        "Sr = señor; Sra = señora; Srta = señorita; Dr = doctor; Dra = doctora; Prof = profesor; Profa = profesora; "
        "D = don; Dña = doña; Ud = usted; Uds = ustedes; Lic = licenciado; Ing = ingeniero; Gral = general; "
        "etc = etcétera; p. ej = por ejemplo; p.ej = por ejemplo; Avda = avenida; Av = avenida; dpto = departamento; "
        "tel = teléfono; Tel = teléfono; aprox = aproximadamente; EE. UU = Estados Unidos; EE.UU = Estados Unidos"
    ),
    may_end=frozenset(("etc", "Ud", "Uds", "EE. UU", "EE.UU")),
    before_number=_pairs(
        "núm = número; Núm = número; nº = número; n.º = número; Nº = número; N.º = número; n° = número; N° = número; "
        "No = número; pág = página; págs = páginas; p = página; vol = volumen; cap = capítulo; art = artículo; § = "
        "sección; № = número"
    ),
    signs=_pairs(
        "& = y; + = más; × = por; ÷ = entre; ± = más menos; ≈ = aproximadamente; "
        "≠ = distinto de; ≤ = menor o igual que; ≥ = mayor o igual que; "
        "< = menor que; > = mayor que; @ = arroba; → = a; % = por ciento; ° = grados; # = almohadilla"
    )
    | {"=": "igual a"},
    address=_address(
        " arroba , punto , barra , guion , guion bajo , interrogación , igual , y , almohadilla , más , por ciento , "
        "dos puntos , tilde "
    ),
)

_FRENCH: Final = Tongue(
    language="fr",
    group=" .",
    points={",": "virgule", ".": "point"},
    minus="moins",
    plus="plus",
    to="à",
    over="sur",
    percent="pour cent",
    per_mille="pour mille",
    degrees=Name("degré", "degrés"),
    celsius="Celsius",
    units=_names("""
        mm | millimètre | millimètres
        cm | centimètre | centimètres
        m | mètre | mètres
        km | kilomètre | kilomètres
        mg | milligramme | milligrammes
        g | gramme | grammes
        kg | kilogramme | kilogrammes
        t | tonne | tonnes | f
        lb, lbs | livre | livres | f
        ml, mL | millilitre | millilitres
        l, L | litre | litres
        s | seconde | secondes | f
        min | minute | minutes | f
        h | heure | heures | f
        W | watt | watts
        kW | kilowatt | kilowatts
        kWh | kilowattheure | kilowattheures
        V | volt | volts
        mA | milliampère | milliampères
        Hz | hertz | hertz
        MHz | mégahertz | mégahertz
        GHz | gigahertz | gigahertz
        Mo | mégaoctet | mégaoctets
        Go | gigaoctet | gigaoctets
        MB | mégabyte | mégabytes
        GB | gigabyte | gigabytes
        ha | hectare | hectares
        m² | mètre carré | mètres carrés
        km² | kilomètre carré | kilomètres carrés
        m³ | mètre cube | mètres cubes
        km/h | kilomètre heure | kilomètres heure
        m/s | mètre par seconde | mètres par seconde
    """),
    money=_money("""
        US$, $, USD | dollar | dollars | m | cent | cents
        €, EUR | euro | euros | m | centime | centimes
        £, GBP | livre | livres | f | penny | pence
        ¥, JPY | yen | yens | m
        ₹, INR | roupie | roupies | f
        CHF | franc suisse | francs suisses | m | centime | centimes
    """),
    scales=_pairs(
        "M = millions; Md = milliards; million = million; millions = millions; milliard = milliard; milliards = milliards"
    ),
    of_scale=" de ",
    cents=" et ",
    months=_words("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
    date="{day} {month} {year}",
    first_day="premier",
    time="{hour} heures {minute}",
    full_hour="{hour} heures",
    hours={"1": "une", "21": "vingt et une"},
    fractions={
        "1/2": "un demi",
        "1/3": "un tiers",
        "2/3": "deux tiers",
        "1/4": "un quart",
        "3/4": "trois quarts",
        "1/5": "un cinquième",
        "1/8": "un huitième",
    },
    and_fractions={"1/2": "et demi", "1/3": "et un tiers", "1/4": "et quart"},
    abbreviations=_pairs(
        "M = monsieur; MM = messieurs; Dr = docteur; Pr = professeur; Prof = professeur; etc = et cetera; p. ex = par exemple; "
        "p.ex = par exemple; c.-à-d = c'est-à-dire; av. J.-C = avant Jésus-Christ; apr. J.-C = après Jésus-Christ; "
        "bd = boulevard; Bd = boulevard; av = avenue; Av = avenue; env = environ; tél = téléphone; Tél = téléphone"
    ),
    may_end=frozenset(("etc", "av. J.-C", "apr. J.-C")),
    before_number=_pairs(
        "n° = numéro; N° = numéro; nº = numéro; Nº = numéro; no = numéro; № = numéro; p = page; pp = pages; vol = volume; "
        "chap = chapitre; art = article; fig = figure; § = paragraphe"
    ),
    signs=_pairs(
        "& = et; + = plus; × = fois; ÷ = divisé par; ± = plus ou moins; ≈ = environ; "
        "≠ = différent de; ≤ = inférieur ou égal à; "
        "≥ = supérieur ou égal à; < = inférieur à; > = supérieur à; @ = arobase; → = à; % = pour cent; ° = degrés; # = dièse"
    )
    | {"=": "égale"},
    address=_address(
        " arobase , point , barre oblique , tiret , tiret bas , point d'interrogation , égale , et , dièse , plus , "
        "pour cent , "
        "deux-points , tilde "
    ),
)

_ITALIAN: Final = Tongue(
    language="it",
    group=".",
    points={",": "virgola", ".": "punto"},
    minus="meno",
    plus="più",
    to="a",
    over="su",
    percent="per cento",
    per_mille="per mille",
    degrees=Name("grado", "gradi"),
    celsius="Celsius",
    units=_names("""
        mm | millimetro | millimetri
        cm | centimetro | centimetri
        m | metro | metri
        km | chilometro | chilometri
        mg | milligrammo | milligrammi
        g | grammo | grammi
        kg | chilogrammo | chilogrammi
        t | tonnellata | tonnellate | f
        lb, lbs | libbra | libbre | f
        ml, mL | millilitro | millilitri
        l, L | litro | litri
        s | secondo | secondi
        min | minuto | minuti
        h | ora | ore | f
        W | watt | watt
        kW | chilowatt | chilowatt
        kWh | chilowattora | chilowattora
        V | volt | volt
        mA | milliampere | milliampere
        Hz | hertz | hertz
        MHz | megahertz | megahertz
        GHz | gigahertz | gigahertz
        MB | megabyte | megabyte
        GB | gigabyte | gigabyte
        ha | ettaro | ettari
        m², mq | metro quadrato | metri quadrati
        km² | chilometro quadrato | chilometri quadrati
        m³ | metro cubo | metri cubi
        km/h | chilometro orario | chilometri orari
        m/s | metro al secondo | metri al secondo
    """),
    money=_money("""
        US$, $, USD | dollaro | dollari | m | centesimo | centesimi
        €, EUR | euro | euro | m | centesimo | centesimi
        £, GBP | sterlina | sterline | f | penny | pence
        ¥, JPY | yen | yen | m
        ₹, INR | rupia | rupie | f
    """),
    scales=_pairs(
        "M = milioni; mln = milioni; mld = miliardi; milione = milione; milioni = milioni; miliardo = miliardo; "
        "miliardi = miliardi"
    ),
    of_scale=" di ",
    cents=" e ",
    months=_words("gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre"),
    date="{day} {month} {year}",
    first_day="primo",
    time="{hour} e {minute}",
    full_hour="{hour} in punto",
    hours={"1": "una"},
    fractions={
        "1/2": "un mezzo",
        "1/3": "un terzo",
        "2/3": "due terzi",
        "1/4": "un quarto",
        "3/4": "tre quarti",
        "1/5": "un quinto",
        "1/8": "un ottavo",
    },
    and_fractions={"1/2": "e mezzo", "1/3": "e un terzo", "1/4": "e un quarto"},
    abbreviations=_pairs(
        "dott = dottor; dott.ssa = dottoressa; sig = signor; sig.ra = signora; "
        "Sig = signor; Sig.ra = signora; Sig.na = signorina; Sigg = signori; Dott = dottor; Dott.ssa = dottoressa; Dr "
        "= dottor; "
        "Prof = professor; Prof.ssa = professoressa; Ing = ingegner; Avv = avvocato; ecc = eccetera; es = esempio; "
        "p.es = per esempio; tel = telefono; Tel = telefono; ca = circa"
    ),
    may_end=frozenset(("ecc",)),
    before_number=_pairs(
        "n = numero; N = numero; n° = numero; N° = numero; nº = numero; Nº = numero; № = numero; pag = pagina; pagg = "
        "pagine; p = pagina; "
        "vol = volume; cap = capitolo; art = articolo; fig = figura; § = paragrafo"
    ),
    signs=_pairs(
        "& = e; + = più; × = per; ÷ = diviso; ± = più o meno; ≈ = circa; "
        "≠ = diverso da; ≤ = minore o uguale a; ≥ = maggiore o uguale a; "
        "< = minore di; > = maggiore di; @ = chiocciola; → = a; % = per cento; ° = gradi; # = cancelletto"
    )
    | {"=": "uguale"},
    address=_address(
        " chiocciola , punto , barra , trattino , trattino basso , punto interrogativo , uguale , e , cancelletto , "
        "più , per cento , "
        "due punti , tilde "
    ),
)

_PORTUGUESE: Final = Tongue(
    language="pt",
    group=".",
    points={",": "vírgula", ".": "ponto"},
    minus="menos",
    plus="mais",
    to="a",
    over="sobre",
    percent="por cento",
    per_mille="por mil",
    degrees=Name("grau", "graus"),
    celsius="Celsius",
    units=_names("""
        mm | milímetro | milímetros
        cm | centímetro | centímetros
        m | metro | metros
        km | quilômetro | quilômetros
        mg | miligrama | miligramas
        g | grama | gramas
        kg | quilograma | quilogramas
        t | tonelada | toneladas | f
        lb, lbs | libra | libras | f
        ml, mL | mililitro | mililitros
        l, L | litro | litros
        s | segundo | segundos
        min | minuto | minutos
        h | hora | horas | f
        W | watt | watts
        kW | quilowatt | quilowatts
        kWh | quilowatt-hora | quilowatts-hora
        V | volt | volts
        mA | miliampère | miliampères
        Hz | hertz | hertz
        MHz | mega-hertz | mega-hertz
        GHz | giga-hertz | giga-hertz
        MB | megabyte | megabytes
        GB | gigabyte | gigabytes
        ha | hectare | hectares
        m² | metro quadrado | metros quadrados
        km² | quilômetro quadrado | quilômetros quadrados
        m³ | metro cúbico | metros cúbicos
        km/h | quilômetro por hora | quilômetros por hora
        m/s | metro por segundo | metros por segundo
    """),
    money=_money("""
        R$, BRL | real | reais | m | centavo | centavos
        US$, $, USD | dólar | dólares | m | centavo | centavos
        €, EUR | euro | euros | m | centavo | centavos
        £, GBP | libra | libras | f | pêni | pence
        ¥, JPY | iene | ienes | m
        ₹, INR | rupia | rupias | f
    """),
    scales=_pairs(
        "mi = milhões; bi = bilhões; mil = mil; milhão = milhão; milhões = milhões; bilhão = bilhão; bilhões = bilhões"
    ),
    of_scale=" de ",
    cents=" e ",
    months=_words("janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro"),
    date="{day} de {month} de {year}",
    first_day="primeiro",
    time="{hour} e {minute}",
    full_hour="{hour} horas",
    hours={"1": "uma", "2": "duas", "21": "vinte e uma", "22": "vinte e duas"},
    fractions={
        "1/2": "meio",
        "1/3": "um terço",
        "2/3": "dois terços",
        "1/4": "um quarto",
        "3/4": "três quartos",
        "1/5": "um quinto",
        "1/8": "um oitavo",
    },
    and_fractions={"1/2": "e meio", "1/3": "e um terço", "1/4": "e um quarto"},
    abbreviations=_pairs(
        "Sr = senhor; Sra = senhora; Srta = senhorita; Dr = doutor; Dra = doutora; Prof = professor; Profa = professora; "
        "D = dom; Exmo = excelentíssimo; Exma = excelentíssima; Eng = engenheiro; etc = et cetera; p. ex = por exemplo; "
        "p.ex = por exemplo; Av = avenida; av = avenida; tel = telefone; Tel = telefone; Ltda = limitada"
    ),
    may_end=frozenset(("etc", "Ltda")),
    before_number=_pairs(
        "n° = número; N° = número; nº = número; Nº = número; n.º = número; N.º = número; № = número; núm = número; "
        "pág = página; págs = páginas; p = página; vol = volume; cap = capítulo; art = artigo; fig = figura; § = parágrafo"
    ),
    signs=_pairs(
        "& = e; + = mais; × = vezes; ÷ = dividido por; ± = mais ou menos; ≈ = aproximadamente; "
        "≠ = diferente de; ≤ = menor ou igual a; "
        "≥ = maior ou igual a; < = menor que; > = maior que; @ = arroba; → = a; % = por cento; ° = graus; # = hashtag"
    )
    | {"=": "igual a"},
    address=_address(
        " arroba , ponto , barra , hífen , sublinhado , interrogação , igual , e , hashtag , mais , por cento , "
        "dois-pontos , til "
    ),
)

_HINDI: Final = Tongue(
    language="hi",
    group=",",
    points={".": "दशमलव"},
    minus="ऋण",
    plus="प्लस",
    to="से",
    over="बटा",
    percent="प्रतिशत",
    per_mille="प्रति हज़ार",
    degrees=Name("डिग्री", "डिग्री"),
    celsius="सेल्सियस",
    units=_names("""
        mm, मिमी | मिलीमीटर
        cm, सेमी | सेंटीमीटर
        m, मी | मीटर
        km, किमी | किलोमीटर
        mg | मिलीग्राम
        g | ग्राम
        kg, किग्रा | किलोग्राम
        ml, mL | मिलीलीटर
        l, L | लीटर
        s | सेकंड
        min | मिनट
        h | घंटा | घंटे
        W | वाट
        kW | किलोवाट
        V | वोल्ट
        mA | मिलीएम्पियर
        Hz | हर्ट्ज़
        MHz | मेगाहर्ट्ज़
        GHz | गीगाहर्ट्ज़
        MB | मेगाबाइट
        GB | गीगाबाइट
        m² | वर्ग मीटर
        km² | वर्ग किलोमीटर
        km/h, किमी/घंटा, किमी/घं | किलोमीटर प्रति घंटा
        m/s | मीटर प्रति सेकंड
    """),
    money=_money("""
        ₹, Rs, Rs., INR, रु., रु | रुपया | रुपये | m | पैसा | पैसे
        US$, $, USD | डॉलर | डॉलर | m | सेंट | सेंट
        €, EUR | यूरो | यूरो | m | सेंट | सेंट
        £, GBP | पाउंड | पाउंड | m | पेंस | पेंस
        ¥, JPY | येन | येन | m
    """),
    scales=_pairs("हज़ार = हज़ार; हजार = हजार; लाख = लाख; करोड़ = करोड़; अरब = अरब"),
    of_scale=" ",
    cents=" ",
    months=_words("जनवरी फ़रवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर"),
    date="{day} {month} {year}",
    first_day="1",
    time="{hour} बजकर {minute} मिनट",
    full_hour="{hour} बजे",
    hours={},
    fractions={
        "1/2": "आधा",
        "1/3": "एक तिहाई",
        "2/3": "दो तिहाई",
        "1/4": "एक चौथाई",
        "3/4": "तीन चौथाई",
    },
    and_fractions={},
    abbreviations=_pairs("डॉ = डॉक्टर; प्रो = प्रोफ़ेसर; श्री = श्री; कु = कुमारी; Dr = डॉक्टर"),
    may_end=frozenset(),
    before_number=_pairs("नं = नंबर; No = नंबर; पृ = पृष्ठ; № = नंबर; § = धारा"),
    signs=_pairs(
        "& = और; + = प्लस; × = गुणा; ÷ = भाग; ± = प्लस माइनस; ≈ = लगभग; "
        "≠ = बराबर नहीं; ≤ = से कम या बराबर; ≥ = से अधिक या बराबर; "
        "< = से कम; > = से अधिक; @ = ऐट; → = से; % = प्रतिशत; ° = डिग्री; # = हैश"
    )
    | {"=": "बराबर"},
    address=_address(" ऐट , डॉट , स्लैश , डैश , अंडरस्कोर , प्रश्न चिह्न , बराबर , और , हैश , प्लस , प्रतिशत , कोलन , टिल्ड "),
)

TONGUES: Final = {
    "en": _AMERICAN,
    "en-GB": _BRITISH,
    "es": _SPANISH,
    "fr": _FRENCH,
    "hi": _HINDI,
    "it": _ITALIAN,
    "pt": _PORTUGUESE,
}
"""By the language of a BCP 47 tag, or by the whole tag where that speaks in its own way."""
