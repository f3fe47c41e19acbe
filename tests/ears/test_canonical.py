"""Texts that sound the same are equal; texts that sound different are not."""

import importlib
from importlib.util import find_spec

import pytest

from tests.ears.canonical import is_read, split
from tests.ears.score import count_errors

needs_ears = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("jiwer", "rapidfuzz", "anyascii", "zhconv")),
    reason="the extra `ears` is not installed",
)


@pytest.mark.parametrize(
    ("language", "asked", "heard"),
    [
        ("en-US", "Nine lives.", "9 lives"),
        ("en-US", "Twenty-five, please!", "25 please"),
        ("en-GB", "Let's see the neighbour.", "lets see the neighbor"),
        ("fr-FR", "Où est l’œuf ?", "ou est l'oeuf"),
        ("fr-FR", "Seize heures.", "16 heures"),
        ("es", "¡Adiós, señor!", "adios senor"),
        ("it", "Perché no?", "perche no"),
        ("pt-BR", "Três maçãs.", "3 maçãs"),
    ],
)
def test_texts_that_sound_the_same_are_equal(language: str, asked: str, heard: str) -> None:
    assert split(asked, language) == split(heard, language)


def test_japanese_is_compared_by_its_reading() -> None:
    importlib.import_module("pyopenjtalk")

    assert split("りんごを買う。", "ja") == split("リンゴを、買う", "ja")
    assert split("パンを買わなければ", "ja") == split("パンを乾なければ", "ja")
    assert split("犬", "ja") != split("猫", "ja")
    assert is_read("ja")


@needs_ears
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # zhconv leaves its table open
def test_chinese_is_compared_by_its_syllables() -> None:
    assert split("他關上窗戶。", "zh") == split("她关上窗户", "zh")
    assert split("三月", "zh") == split("3月", "zh")
    assert is_read("zh")


@needs_ears
def test_hindi_in_urdu_letters_is_hindi() -> None:
    assert count_errors("मुझे एक गिलास पानी चाहिए।", "مجھے ایک گلاس پانی چاہیے", "hi").character_errors == 0
    assert count_errors("मुझे एक गिलास पानी चाहिए।", "آج موسم بہت اچھا ہے", "hi").character_rate > 0.5


@needs_ears
def test_words_that_were_only_joined_are_no_errors() -> None:
    errors = count_errors("Ho visto mia nonna ieri.", "Ho visto mianonna ieri", "it")

    assert (errors.n_words, errors.word_errors, errors.character_errors) == (5, 0, 0)


@needs_ears
def test_a_lost_word_is_one_error() -> None:
    errors = count_errors("The dog barks every morning.", "The dog every morning.", "en-US")

    assert (errors.word_errors, errors.character_errors) == (1, len("barks"))


@needs_ears
def test_of_several_right_spellings_the_best_counts() -> None:
    assert count_errors("B|Be|Bee", "Bee.", "en-US").word_errors == 0
    assert count_errors("B|Be|Bee", "Dee.", "en-US").word_errors == 1


@needs_ears
def test_silence_and_nothing_expected_are_counted_too() -> None:
    assert count_errors("Yes.", "", "en-US").word_rate == 1.0
    assert count_errors("Yes.", "yes and no", "en-US").word_errors == 2


@needs_ears
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # zhconv leaves its table open
@pytest.mark.parametrize(
    ("language", "intended", "heard", "other"),
    [
        # Figures: quantities, decimals, groups of digits.
        ("en-US", "three hundred thousand people", "300,000 people", "three hundred people"),
        ("en-US", "two point five million", "2.5 million", "25 million"),
        ("en-GB", "one hundred and twelve", "112", "one hundred and twenty"),
        ("es", "dos coma cinco millones", "2,5 millones", "25 millones"),
        ("es", "dos mil quinientas personas", "2.500 personas", "2,5 personas"),
        ("fr-FR", "trois virgule cinq", "3,5", "35"),
        ("it", "quarantacinque", "45", "54"),
        ("pt-BR", "duas mil pessoas", "2 mil pessoas", "12 mil pessoas"),
        ("hi", "दो दशमलव पाँच", "2.5", "25"),
        ("hi", "एक लाख लोग", "1,00,000 लोग", "1,000 लोग"),
        ("hi", "दो सौ पचास पन्ने", "250 پنے", "205 پنے"),
        ("ja", "千二百五十円", "1,250円", "1,200円"),
        ("ja", "三点五パーセント", "3.5%", "35%"),
        ("zh", "百分之三点五", "3.5%", "35%"),
        # Numbers that are no quantities: years, telephone numbers, the numbers of a train.
        ("en-US", "nine one one", "911", "912"),
        ("en-US", "twenty twenty-four", "2024", "2023"),
        ("en-US", "seven thirty-seven eight hundred", "737-800", "737 to 80"),
        ("es", "noventa y uno, doce, treinta y cuatro", "91, 1234", "91, 1243"),
        ("fr-FR", "zéro un, vingt-trois, quarante-cinq", "01, 2345", "01, 2354"),
        ("ja", "イチイチキュー", "119", "110"),
        ("zh", "幺幺九", "119", "110"),
        ("zh", "一九八四年", "1984年", "1948年"),
        ("zh", "两百年", "200年", "20年"),
        # Ordinals and Roman numerals.
        ("en-US", "the twenty-first floor", "the 21st floor", "the twenty-one floor"),
        ("en-US", "March fourth", "March 4", "March 14"),
        ("en-GB", "Elizabeth the Second", "Elizabeth II", "Elizabeth III"),
        ("en-US", "World War Two", "World War II", "World War one"),
        ("en-GB", "the late sixties", "the late 60s", "the late 70s"),
        ("es", "el siglo dieciocho", "el siglo XVIII", "el siglo XVII"),
        ("es", "el tercer piso", "el 3º piso", "el tres piso"),
        ("fr-FR", "le quinzième siècle", "le XVe siècle", "le quinze siècle"),
        ("fr-FR", "la quatre-vingtième fois", "la 80e fois", "la vingtième fois"),
        ("it", "il terzo piano", "il 3° piano", "il tre gradi piano"),
        ("pt-BR", "o terceiro andar", "o 3º andar", "o três andar"),
        # Times of day.
        ("en-US", "nine thirty AM", "9.30 a.m.", "9.13 a.m."),
        ("en-GB", "ten oh five PM", "10.05pm", "10.50pm"),
        ("es", "las nueve y quince", "las 9:15", "las 9:50"),
        ("fr-FR", "dix-huit heures quarante", "18h40", "18h14"),
        ("it", "le venti e trenta", "le 20:30", "le 20 punto 30"),
        ("pt-BR", "às nove e quinze", "às 9h15", "às 9h50"),
        ("ja", "十五時三十分", "15:30", "15:13"),
        ("zh", "十五点三十分", "15:30", "15:13"),
        # Signs: money, percent, degrees, units, formulas.
        ("en-US", "twelve dollars and fifty cents", "$12.50", "$12.15"),
        ("en-GB", "two point five billion pounds", "£2.5 billion", "£2.5 million"),
        ("es", "doce euros con cincuenta céntimos", "12,50 €", "12,15 €"),
        ("pt-BR", "cinco reais", "R$5", "5 dólares"),
        ("hi", "पाँच सौ रुपये", "₹500", "500"),
        ("zh", "二十五元", "¥25", "25美元"),
        ("en-US", "twelve percent", "12%", "12"),
        ("en-US", "minus four degrees Celsius", "-4°C", "-4 degrees"),
        ("fr-FR", "trois cents kilomètres par heure", "300 km/h", "300 km"),
        ("it", "trecento chilometri orari", "300 km/h", "300 km"),
        ("ja", "時速三百キロメートル", "300km/h", "300km"),
        ("en-US", "x squared plus three x equals zero", "x² + 3x = 0", "x2 + 3x = 0"),
        ("ja", "エックスの二乗", "x²", "x2"),
        ("zh", "三分之二", "2/3", "3/2"),
        # Initialisms joined or apart, hyphens, homophones.
        ("en-US", "H two S O four", "H2SO4", "H2SO3"),
        ("en-US", "C O two", "CO2", "C two"),
        ("en-GB", "an A star", "an A-star", "an A-stir"),
        ("en-GB", "our side won", "our side one", "our side wins"),
        ("ja", "シーオーツー", "CO2", "シーツー"),
    ],
)
def test_figures_and_signs_count_as_the_words_that_people_say(language: str, intended: str, heard: str, other: str) -> None:
    assert count_errors(intended, heard, language).word_errors == 0
    assert count_errors(intended, other, language).word_errors > 0


@needs_ears
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("language", "intended", "misread"),
    [
        ("en-US", "two point five million people", "2.5 meters people"),
        ("en-US", "two point five million people", "2.5m people"),
        ("en-US", "The river floods.", "The river floods three."),
        ("en-US", "On Monday, November twenty-eighth", "On Mon nav 28"),
        ("en-US", "ten to the minus three", "10 3"),
        ("en-US", "x squared plus three x equals zero now", "x squared plus 3x equals $0 now"),
        ("en-GB", "He weighs ten stone four pounds", "He weighs 10th four pounds"),
        ("en-GB", "in forty-four BC", "in 44 before Christ"),
        ("en-GB", "dial nine nine nine", "dial 99"),
        ("en-GB", "four thousand pounds", "4,000"),
        ("en-GB", "won three to one", "one minus three one"),
        ("es", "siglo quince", "siglo X"),
        ("es", "el primero de mayo", "un grado de mayo"),
        ("es", "cuarenta y cuatro antes de Cristo", "44 a C"),
        ("es", "dos tazas y media de harina", "2 medias tazas de harina"),
        ("es", "en la calle Mayor", "en la C barra Mayor"),
        ("fr-FR", "plus d'un million", "plus dé 1 million"),
        ("fr-FR", "le roi Louis quatorze", "le roi Louis 14 romain"),
        ("fr-FR", "la quatre-vingtième fois", "la 80 fois"),
        ("fr-FR", "un mètre quatre-vingt-cinq", "1 m 85 minutes"),
        ("fr-FR", "deux cuillères à soupe", "2 C à S"),
        ("it", "l'otto settembre", "L 8 settembre"),
        ("it", "il primo piano", "il 1 grado piano"),
        ("it", "le venti e trenta", "20 punto 30"),
        ("it", "sale quanto basta", "sale QB"),
        ("it", "quarantaquattro avanti Cristo", "44 a C"),
        ("pt-BR", "duas xícaras e meia", "duas meia xícara"),
        ("pt-BR", "vinte e cinco graus Celsius", "25º C"),
        ("pt-BR", "a segunda guerra mundial", "a dois guerra mundial"),
        ("pt-BR", "na rua Augusta", "na R Augusta"),
        ("pt-BR", "três de dezembro", "3 dez"),
        ("hi", "दस की घात माइनस सात", "10 की घात 7"),
        ("hi", "चौथा", "4 था"),
        ("hi", "तीन एक से जीता", "3 से 1 से जीता"),
        ("hi", "बारह किलोमीटर दूर", "12 कि मी दूर"),
        ("hi", "उन्नीस सौ सैंतालीस", "1974"),
        ("ja", "東京は日本の首都", "東京は一日本の首都"),
        ("ja", "なんじですか", "なにじですか"),
        ("ja", "さんたいに", "三から二"),
        ("ja", "シーオーツーも", "シーオーも"),
        ("ja", "こえで呼ぶ", "声こえで呼ぶ"),
        ("zh", "GPT四的发展", "GPT负四的发展"),
        ("zh", "两百年历史", "二零零年历史"),
        ("zh", "三比二获胜", "三到二获胜"),
        ("zh", "拨打幺幺九", "拨打一百一十九"),
        ("zh", "x的平方等于九", "x等于九"),
    ],
)
def test_a_wrong_reading_has_errors(language: str, intended: str, misread: str) -> None:
    assert count_errors(intended, misread, language).word_errors > 0
