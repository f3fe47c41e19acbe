"""Grapheme to phoneme: words into the phonemes that Kokoro was trained on.

Why a module for each language or family: each needs other packages and dictionaries, which are loaded when that language is
first spoken.
"""
