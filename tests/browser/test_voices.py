"""Choosing a voice: samples, search, filters, favourites, blends, languages, several voices in one text."""

from tests.browser.browsers import Visitor

SHOWN = "[...document.querySelectorAll('.voice:not([hidden]) input')].map((one) => one.value)"


def requests_of(visitor: Visitor) -> list[dict[str, object]]:
    """A list that grows with each request for speech."""
    found: list[dict[str, object]] = []
    visitor.page.on("request", lambda request: found.append(request.post_data_json) if request.method == "POST" else None)
    return found


def test_the_best_voice_is_first_and_chosen(visitor: Visitor) -> None:
    shown = visitor.ask(SHOWN)

    assert shown[:3] == ["af_heart", "af_bella", "af_nicole"]
    assert len(shown) == 54
    assert visitor.page.locator("input[name=voice]:checked").input_value() == "af_heart"
    first = visitor.page.locator(".voice").first.inner_text().split("\n")
    assert "Heart" in first[0]
    assert {"coral", "af_heart"} <= set(" ".join(first).split())


def test_a_sample_plays_on_a_press_and_is_asked_for_once(visitor: Visitor) -> None:
    asked = requests_of(visitor)
    hear = visitor.page.locator(".voice").nth(1).locator(".hear")
    hear.click()
    visitor.until("document.querySelectorAll('.hear use[href=\"#icon-stop\"]').length === 1")
    visitor.until("document.querySelectorAll('.hear use[href=\"#icon-stop\"]').length === 0")
    hear.click()
    visitor.until("document.querySelectorAll('.hear use[href=\"#icon-stop\"]').length === 1")
    hear.click()
    visitor.until("document.querySelectorAll('.hear use[href=\"#icon-stop\"]').length === 0")

    assert [(one["voice"], one["input"]) for one in asked] == [("af_bella", "Hello, I am Bella. This is how I sound.")]


def test_a_sample_is_in_the_language_of_the_voice(visitor: Visitor) -> None:
    asked = requests_of(visitor)
    for voice in ("ff_siwis", "jf_alpha", "zf_xiaobei"):
        visitor.find("voice-search").fill(voice)
        visitor.page.locator(".voice:not([hidden]) .hear").click()
        visitor.until("document.querySelectorAll('.hear use[href=\"#icon-stop\"]').length === 1")

    assert [str(one["input"])[:3] for one in asked] == ["Bon", "こんに", "你好，"]


def test_voices_are_searched_and_filtered(visitor: Visitor) -> None:
    visitor.find("voice-search").fill("shimmer")
    assert visitor.ask(SHOWN) == ["af_bella"]
    visitor.find("voice-search").fill("british female")
    assert {voice[:2] for voice in visitor.ask(SHOWN)} == {"bf"}
    visitor.find("voice-search").fill("")
    visitor.find("voice-language").select_option("ja")
    visitor.find("voice-gender").select_option("male")
    assert {voice[:2] for voice in visitor.ask(SHOWN)} == {"jm"}
    visitor.find("voice-search").fill("nobody")
    assert visitor.ask(SHOWN) == []
    visitor.find("voice-all").click()
    assert len(visitor.ask(SHOWN)) == 54


def test_favourites_stay_after_a_reload(visitor: Visitor) -> None:
    visitor.page.get_by_role("button", name="Favourite: Emma").click()
    visitor.open()
    visitor.page.get_by_label("Favourites").check()

    assert visitor.ask(SHOWN) == ["bf_emma"]
    assert visitor.page.get_by_role("button", name="Favourite: Emma").get_attribute("aria-pressed") == "true"


def test_a_blend_is_made_with_sliders_heard_used_and_copied(visitor: Visitor) -> None:
    asked = requests_of(visitor)
    visitor.page.locator("#blend summary").click()
    formula = visitor.find("blend-formula")
    assert formula.inner_text() == "af_heart(2)+bf_emma"
    visitor.find("blend-add").click()
    visitor.find("blend-add").click()
    assert visitor.find("blend-add").is_disabled()
    rows = visitor.page.locator(".blend-row")
    rows.nth(3).get_by_role("button", name="Remove this voice").click()
    rows.nth(2).locator("select").select_option("am_michael")
    rows.nth(2).locator("input").evaluate(
        "(one) => { one.value = 0.5; one.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    assert formula.inner_text() == "af_heart(2)+bf_emma+am_michael(0.5)"

    visitor.find("blend-hear").click()
    visitor.until("document.querySelector('#blend-hear use') || true")
    visitor.find("blend-use").click()
    visitor.speak("Glue the sheet.")
    visitor.until("document.querySelectorAll('.word').length === 3")
    assert {one["voice"] for one in asked} == {"af_heart(2)+bf_emma+am_michael(0.5)"}
    assert visitor.find("choose-voice").inner_text() == "af_heart(2)+bf_emma+am_michael(0.5)"
    visitor.no_complaints()


def test_the_language_is_taken_from_the_text(visitor: Visitor) -> None:
    asked = requests_of(visitor)
    visitor.find("language").select_option("text")
    for text, language in (
        ("Le chat est dans la maison avec les enfants.", "fr"),
        ("声は、あなたのものです。", "ja"),
        ("The cat is in the house with the children.", None),
    ):
        visitor.speak(text)
        visitor.until("document.querySelector('.word')")
        assert asked[-1].get("language") == language
    visitor.find("edit").click()
    visitor.find("text").fill("El perro y los niños están en la casa.")
    assert visitor.find("language-found").inner_text() == "This looks like Spanish."


def test_another_voice_is_put_into_the_text(visitor: Visitor) -> None:
    visitor.find("text").fill("Hello there.")
    visitor.find("text").press("End")
    visitor.find("insert-voice").select_option("am_michael")

    assert visitor.find("text").input_value() == "Hello there. [am_michael] "
    assert visitor.ask("document.activeElement.id") == "text"
