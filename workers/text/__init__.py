"""Prepares text for speech: cuts it into passages, normalizes it, cuts it into segments and turns these into phonemes.

Why every step keeps offsets into the user's text: word times are reported for the words as they were written.

Why it knows no engine: each engine asks for the phonemes that it needs.
"""
