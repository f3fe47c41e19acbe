"""Grapheme to phoneme (G2P): turns words into the phonemes that Kokoro was trained on.

Why a module for each language or family: each needs different packages and dictionaries, which are loaded when that language is
first spoken.
"""
