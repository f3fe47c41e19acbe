"""Mandarin phonemes: pinyin of words, tones, numbers.

Why words and not characters: many characters have several sounds, and the word decides.
"""
