"""Tags that change the voice of a text: which are found, and which texts are scripts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidValue
from app.core.speech.speakers import find_speakers, find_tags, show_speaker
from app.core.speech.tags import MAX_VOICES
from app.core.speech.voices import load_catalogue

CATALOGUE = load_catalogue()


def tags(text: str) -> list[str]:
    """The tags of a text as they are written."""
    return [text[tag.start : tag.end] for tag in find_tags(text, lambda name: CATALOGUE.find(name) is not None)]


def names(text: str) -> list[str]:
    return [name for name, _, _ in find_speakers(text, CATALOGUE)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[af_heart] Hi. [am_michael] Ho.", ["[af_heart]", "[am_michael]"]),
        ("Hi[af_heart]ho", ["[af_heart]"]),
        ("[af_heart][am_michael] x", ["[af_heart]", "[am_michael]"]),
        ("[af_heart(2)+bf_emma(1)] Hi. [ af_heart + bf_emma ] Ho.", ["[af_heart(2)+bf_emma(1)]", "[ af_heart + bf_emma ]"]),
        ("[af_heart]: Hi.", ["[af_heart]:"]),
        ("af_heart: Hi.\n  am_michael: Ho.\naf_heart:\nMore.", ["af_heart:", "am_michael:", "af_heart:"]),
        ("af_heart(2)+bf_emma: Hi.", ["af_heart(2)+bf_emma:"]),
        ("zf_xiaoxiao：你好。", ["zf_xiaoxiao："]),
        ("[coral] Hi.\n [nova] Ho.", ["[coral]", "[nova]"]),
        ("[af_heart] [coral] Hi.", ["[af_heart]", "[coral]"]),
        ("<speak><p>[coral] Hi.</p>\n<p class='x'>nova: Ho.</p></speak>", ["[coral]", "nova:"]),
    ],
)
def test_tags_are_found(text: str, found: list[str]) -> None:
    assert tags(text) == found


def test_the_id_of_a_voice_of_a_user_is_a_tag_anywhere() -> None:
    mine = "voice_0123456789abcdef01234567"
    text = f"He said [{mine}] this and [voice_1] that. [{mine}(2)+af_heart] Hi."
    found = [text[tag.start : tag.end] for tag in find_tags(text, lambda name: name.startswith(mine))]
    assert found == [f"[{mine}]", f"[{mine}(2)+af_heart]"]


@pytest.mark.parametrize(
    "text",
    [
        "[laughs] [3] [pause:1s] [^1] [ ] [] [x]",
        "He said [coral] and then [nova].",
        "They said: echo: hello; coral: x",
        "[af_heart](https://example.com) and [Koe](/kˈOA/)",
        "[the voice [af_heart] here](https://example.com)",
        "[a link](https://example.com/?voice[af_heart])",
        "[af_heart]: https://example.com",
        r"\[af_heart] is how a voice is named",
        "`[af_heart]` and\n```\n[af_heart] x\naf_heart: x\n```\n~~~\n[af_heart]\n~~~",
        "<!-- [af_heart] --> <a title='[af_heart]'>x</a>",
        "[AF_HEART] [Coral]\nCoral: Hi.\nEcho: ho.",
        "[af_nobody] [af_heart+af_nobody] [af_heart(0)] [af_heart(x)]",
        "af_heart:x 10:30\n- coral: a\n* nova: b\n| nova: c |",
        "[af_heart\n]",
    ],
)
def test_other_text_stays_text(text: str) -> None:
    assert tags(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("echo: hello", []),
        ("echo: hello\necho: again", []),
        ("echo: hello\nfable: again", ["echo", "fable"]),
        ("echo: hello\n[af_heart] Hi.", ["af_heart", "echo"]),
        ("echo: hello\naf_heart: Hi.", ["af_heart", "echo"]),
        ("[echo] hello", ["echo"]),
        ("af_heart: hello", ["af_heart"]),
        ("No tags.", []),
    ],
)
def test_lines_of_openais_names_count_in_a_script(text: str, found: list[str]) -> None:
    assert names(text) == found


def test_names_of_the_operator_count_at_the_start_of_a_line() -> None:
    catalogue = load_catalogue()
    catalogue.aliases["Frau Müller"] = "af_heart(2)+bf_emma"
    text = "[Frau Müller] Hi. [Frau Müller] no\nFrau Müller: Ho."
    found = [text[tag.start : tag.end] for tag in find_tags(text, lambda name: catalogue.find(name) is not None)]
    assert found == ["[Frau Müller]", "Frau Müller:"]


def test_each_voice_has_its_language_or_that_of_the_request() -> None:
    text = "[af_heart] Hi. [ff_siwis] Salut."
    assert [(blend[0].voice_id, language) for _, blend, language in find_speakers(text, CATALOGUE)] == [
        ("af_heart", "en-US"),
        ("ff_siwis", "fr-FR"),
    ]
    assert {language for _, _, language in find_speakers(text, CATALOGUE, language="it")} == {"it"}


def test_a_text_has_a_limit_of_voices() -> None:
    def script(n_voices: int) -> str:
        return " ".join(f"[af_heart({n + 1})+bf_emma] {n}" for n in range(n_voices))

    assert len(find_speakers(script(MAX_VOICES), CATALOGUE)) == MAX_VOICES
    with pytest.raises(InvalidValue, match="at most 100") as caught:
        find_speakers(script(MAX_VOICES + 1), CATALOGUE)
    assert caught.value.param == "input"


@pytest.mark.parametrize(
    ("name", "shown"), [("coral", "coral"), ("a" * 201, "af_heart"), ("a[b", "af_heart"), ("", "af_heart")]
)
def test_a_speaker_has_the_name_that_the_user_wrote_if_it_could_stand_in_a_tag(name: str, shown: str) -> None:
    assert show_speaker(name, CATALOGUE.parse("af_heart")[0]) == shown


@given(
    st.lists(st.sampled_from(["[af_heart]", "coral:", "[coral]", "\n", " ", "a", "`", "```", "<p>", "[", "]", "(", ")", ":"]))
)
def test_tags_stand_in_order_and_do_not_overlap(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = list(find_tags(text, lambda name: CATALOGUE.find(name) is not None))
    edges = [edge for tag in found for edge in (tag.start, tag.end)]
    assert edges == sorted(edges)
    assert all(tag.name in text[tag.start : tag.end] for tag in found)
