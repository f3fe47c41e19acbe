"""Japanese phonemes and kana, by OpenJTalk.

Why it gets a dictionary of its own: OpenJTalk's has one reading of a word where several are usual.
"""
