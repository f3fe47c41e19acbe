"""The engines: each turns segments of phonemes or text into samples.

`kokoro` is the voice, espeak-ng the fallback, `tone` a beep for tests. What follows is the same for all: speed and
loudness.

Why engines know neither each other nor Redis: each is tested alone, and a new one changes no other.
"""
