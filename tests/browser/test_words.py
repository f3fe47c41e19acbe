"""How words are said: asked, corrected, heard, kept in the browser, given to the server."""

import httpx

from tests.browser.browsers import Visitor
from tests.harness import Harness


def open_words(visitor: Visitor) -> None:
    visitor.find("tab-words").click()
    visitor.until("document.querySelector('#server-words li')")


def test_a_word_is_corrected_with_signs_and_heard(visitor: Visitor) -> None:
    asked = []
    visitor.page.on("request", lambda request: asked.append(request.post_data_json) if request.method == "POST" else None)
    open_words(visitor)
    visitor.find("word").fill("Koe")
    visitor.find("word-ask").click()
    visitor.until("document.getElementById('word-phonemes').value")
    visitor.page.locator("#words summary").click()
    visitor.find("word-phonemes").fill("")
    for sign in ("k:", "ˈ:", "O:"):
        visitor.page.locator(f"#sounds button[aria-label^='{sign}']").first.click()
    assert visitor.find("word-phonemes").input_value() == "kˈO"
    visitor.find("word-hear").click()
    visitor.until("document.querySelector('#word-hear use[href=\"#icon-stop\"]')")

    assert asked[-1]["pronunciations"] == {"Koe": "kˈO"}
    visitor.no_complaints()


def test_a_word_of_this_browser_is_sent_with_its_texts_and_stays(visitor: Visitor) -> None:
    open_words(visitor)
    visitor.find("word").fill("planks")
    visitor.find("word-phonemes").fill("plˈæŋks")
    visitor.find("word-keep").click()
    visitor.open()
    asked = []
    visitor.page.on("request", lambda request: asked.append(request.post_data_json) if request.method == "POST" else None)
    visitor.find("tab-speak").click()
    for text, sent in (("Smooth planks.", {"planks": "plˈæŋks"}), ("Other words.", None)):
        visitor.speak(text)
        visitor.until("document.querySelectorAll('.word').length === 2")
        assert asked[-1].get("pronunciations") == sent
    open_words(visitor)
    visitor.page.get_by_role("button", name="Delete planks").click()
    assert visitor.find("own-words").inner_text() == "There are none."


def test_a_word_is_given_to_the_server_and_taken_back(visitor: Visitor, site: Harness) -> None:
    open_words(visitor)
    visitor.find("word").fill("birch")
    visitor.find("word-phonemes").fill("bˈɜɹʧ")
    visitor.find("word-give").click()
    visitor.until("document.getElementById('server-words').textContent.includes('birch')")
    with httpx.Client(base_url=site.url) as client:
        entries = client.get("/v1/audio/lexicon").json()["data"]
        assert entries == [{"word": "birch", "phonemes": "bˈɜɹʧ", "language": "en"}]
        visitor.page.get_by_role("button", name="Delete birch").click()
        visitor.until("!document.getElementById('server-words').textContent.includes('birch')")
        assert client.get("/v1/audio/lexicon").json()["data"] == []


def test_wrong_sounds_are_explained(visitor: Visitor) -> None:
    open_words(visitor)
    visitor.find("word").fill("birch")
    visitor.find("word-phonemes").fill("123")
    visitor.find("word-give").click()
    visitor.until("document.querySelector('#words-fault:not([hidden])')")

    assert "phonemes" in visitor.faults()
