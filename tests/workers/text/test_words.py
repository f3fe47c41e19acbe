from workers.text.words import find_words, says_something


def _words(text: str) -> list[str]:
    return [text[start:end] for start, end in find_words(text)]


def test_words_are_parted_by_spaces() -> None:
    assert _words(" Hello,  world! ") == ["Hello,", "world!"]


def test_han_and_kana_are_words_by_themselves() -> None:
    assert _words("你好，GPT 世界。カーテン") == ["你", "好，", "GPT", "世", "界。", "カー", "テ", "ン"]


def test_punctuation_alone_says_nothing() -> None:
    assert not says_something(" …!? — ♥ 😀")
    assert all(says_something(text) for text in ("a", "7", "好", "€", "+"))
