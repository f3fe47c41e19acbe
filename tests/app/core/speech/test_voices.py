"""The catalogue, its names, and blends in one canonical form."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidValue
from app.core.speech.voices import (
    DEFAULT_VOICE,
    MAX_BLEND_VOICES,
    USUAL_LOUDNESS,
    BlendPart,
    Catalogue,
    Voice,
    load_catalogue,
    show_blend,
)

CATALOGUE = load_catalogue()
OPENAI_NAMES = [
    "alloy",
    "ash",
    "ballad",
    "coral",
    "echo",
    "fable",
    "nova",
    "onyx",
    "sage",
    "shimmer",
    "verse",
    "marin",
    "cedar",
]


def test_the_default_voice_is_the_best_graded_one_and_has_a_name_of_openai_s() -> None:
    best = min(CATALOGUE.voices.values(), key=lambda voice: (voice.grade or "Z").ljust(2, ","))

    assert best.id == DEFAULT_VOICE
    assert CATALOGUE.aliases["coral"] == DEFAULT_VOICE


def test_all_54_voices_of_kokoro_are_there() -> None:
    assert len(CATALOGUE.voices) == 54
    for voice_id in CATALOGUE.voices:
        assert CATALOGUE.parse(voice_id)[0] == (BlendPart(voice_id, 1.0),)


def test_all_13_names_of_openai_mean_a_voice_of_their_own() -> None:
    blends = {name: CATALOGUE.parse(name)[0] for name in OPENAI_NAMES}
    assert sorted(CATALOGUE.aliases) == sorted(OPENAI_NAMES)
    assert len(set(blends.values())) == 13
    assert show_blend(blends["alloy"]) == "af_alloy"
    assert show_blend(blends["coral"]) == "af_heart"


@pytest.mark.parametrize(
    "spec", ["af_heart+bf_emma", "bf_emma+af_heart", "af_heart(2)+bf_emma(2)", " af_heart + bf_emma ", "coral+bf_emma"]
)
def test_one_blend_written_in_many_ways_is_one_blend(spec: str) -> None:
    assert CATALOGUE.parse(spec)[0] == (BlendPart("af_heart", 0.5), BlendPart("bf_emma", 0.5))


def test_the_weights_of_a_blend_add_up_to_one() -> None:
    blend, _ = CATALOGUE.parse("af_heart(2)+bf_emma(1)+am_adam(1)")
    assert [(part.voice_id, part.weight) for part in blend] == [("af_heart", 0.5), ("am_adam", 0.25), ("bf_emma", 0.25)]


def test_a_voice_that_comes_twice_has_both_its_weights() -> None:
    assert CATALOGUE.parse("af_heart+coral")[0] == (BlendPart("af_heart", 1.0),)


def test_a_blend_speaks_the_language_of_its_first_voice() -> None:
    assert CATALOGUE.parse("bf_emma+af_heart")[1] == "en-GB"
    assert CATALOGUE.parse("jf_alpha")[1] == "ja"


def test_a_blend_has_at_most_the_allowed_number_of_voices() -> None:
    ids = list(CATALOGUE.voices)
    assert len(CATALOGUE.parse("+".join(ids[:MAX_BLEND_VOICES]))[0]) == MAX_BLEND_VOICES
    with pytest.raises(InvalidValue):
        CATALOGUE.parse("+".join(ids[: MAX_BLEND_VOICES + 1]))


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "zzz",
        "Alloy",
        "+",
        "af_heart+",
        "af_heart(0)",
        "af_heart(-1)",
        "af_heart(nan)",
        "af_heart(inf)",
        "af_heart(1e999)",
        "af_heart(1e308)+bf_emma(1e308)",
        "af_heart(1e-320)+bf_emma(1e300)",
        "af_heart()",
        "af_heart(1",
        "af_heart(1)(2)",
        "af_heart*2",
        "../../etc/passwd",
        "voices/af_heart.pt",
        "af_heart\x00",
        "\ud800",
    ],
)
def test_the_error_for_an_unknown_voice_names_the_known_ones(spec: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        CATALOGUE.parse(spec)
    assert caught.value.param == "voice"
    assert "'alloy', " in caught.value.message
    assert "/v1/audio/voices" in caught.value.message


def test_a_voice_of_a_megabyte_is_not_sent_back() -> None:
    with pytest.raises(InvalidValue) as caught:
        CATALOGUE.parse("x" * 1_000_000)
    assert len(caught.value.message) < 1000


@given(st.lists(st.tuples(st.sampled_from(sorted(CATALOGUE.voices)), st.floats(1e-3, 1e3)), min_size=1, max_size=8))
def test_every_blend_is_sorted_whole_and_readable_again(parts: list[tuple[str, float]]) -> None:
    blend, _ = CATALOGUE.parse("+".join(f"{voice}({weight!r})" for voice, weight in parts))
    assert list(blend) == sorted(blend)
    assert math.isclose(math.fsum(part.weight for part in blend), 1.0)
    assert [part.voice_id for part in CATALOGUE.parse(show_blend(blend))[0]] == [part.voice_id for part in blend]


@given(st.text())
def test_any_text_is_a_blend_or_an_invalid_value(spec: str) -> None:
    try:
        CATALOGUE.parse(spec)
    except InvalidValue as error:
        assert error.param == "voice"


def test_an_operator_adds_voices_and_moves_names(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        '[aliases]\nalloy = "xf_mine"\nduet = "xf_mine(3)+af_heart"\n'
        '[[voices]]\nid = "xf_mine"\nlanguage = "en-GB"\ngender = "female"\n',
        encoding="utf-8",
    )
    catalogue = load_catalogue(own)
    assert catalogue.parse("alloy") == ((BlendPart("xf_mine", 1.0),), "en-GB")
    assert show_blend(catalogue.parse("duet")[0]) == "af_heart(0.25)+xf_mine(0.75)"
    assert len(catalogue.voices) == 55
    assert show_blend(catalogue.parse("coral")[0]) == "af_heart"


@pytest.mark.parametrize("text", ["[aliases]\nalloy = 'nobody'", "no toml", "[[voices]]\nid = 'a'", "[colours]\nred = 1"])
def test_a_bad_file_of_an_operators_is_named(tmp_path: Path, text: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"own\.toml"):
        load_catalogue(own)


def test_a_missing_file_of_an_operators_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.toml"):
        load_catalogue(tmp_path / "nowhere.toml")


def test_a_voice_has_a_name_for_people() -> None:
    assert CATALOGUE.voices["af_heart"].name == "Heart"
    assert Voice(id="solo", language="en-US", gender="female").name == "solo"


def test_a_voice_knows_its_other_names() -> None:
    assert CATALOGUE.aliases_of("af_heart") == ["coral"]
    assert CATALOGUE.aliases_of("zm_yunxi") == []


def test_the_loudness_of_a_blend_is_that_of_its_voices_by_weight() -> None:
    heart, nova = CATALOGUE.voices["af_heart"].loudness, CATALOGUE.voices["af_nova"].loudness
    assert heart is not None
    assert nova is not None

    assert CATALOGUE.loudness_of(CATALOGUE.parse("af_heart(3)+af_nova(1)")[0]) == pytest.approx(0.75 * heart + 0.25 * nova)


def test_every_voice_that_is_shipped_has_been_measured() -> None:
    assert all(-40 < (voice.loudness or 0) < -9 for voice in CATALOGUE.voices.values())


def test_a_voice_that_nobody_measured_counts_as_the_usual_one(tmp_path: Path) -> None:
    own = tmp_path / "voices.toml"
    own.write_text('[[voices]]\nid = "xf_own"\nlanguage = "en-US"\ngender = "female"\n', encoding="utf-8")
    catalogue = load_catalogue(own)

    assert catalogue.loudness_of(catalogue.parse("xf_own")[0]) == USUAL_LOUDNESS


def test_the_voice_for_a_language_is_the_one_with_the_best_grade() -> None:
    def graded(*grades: str) -> Catalogue:
        voices = [Voice(id=f"v{number}", language="sv", gender="female", grade=grade) for number, grade in enumerate(grades)]
        return Catalogue({voice.id: voice for voice in voices}, {})

    for grades, best in ((("", "F"), "v1"), (("B", "B+", "B-"), "v1"), (("A-", "B+", "A", "A"), "v2"), (("", ""), "v0")):
        found = graded(*grades).best_of("sv")
        assert found is not None
        assert found.id == best
    assert graded("A").best_of("en-US") is None


@pytest.mark.parametrize(
    ("spec", "resolved"),
    [
        ("coral", "af_heart"),
        ("af_heart(3)", "af_heart"),
        ("nova(2)+bf_emma(0.1)", "af_nova(2)+bf_emma(0.1)"),
        ("af_heart+bf_emma+coral", "af_heart(1)+bf_emma(1)+af_heart(1)"),
    ],
)
def test_a_resolved_blend_names_ids_alone_and_is_the_same_blend(spec: str, resolved: str) -> None:
    assert CATALOGUE.resolve(spec) == resolved
    assert CATALOGUE.parse(resolved) == CATALOGUE.parse(spec)


def test_a_blend_with_a_voice_of_a_user_is_as_loud_as_usual() -> None:
    assert CATALOGUE.loudness_of((BlendPart("voice_" + 24 * "0", 1.0),)) == USUAL_LOUDNESS
