"""The engines: each turns segments of phonemes or text into samples.

`kokoro` is the main voice, espeak-ng the fallback, `tone` a beep for tests. Speed and loudness are adjusted in the same way for
Kokoro and espeak-ng.

Why engines know neither each other nor Redis: each is tested alone, and a new engine changes no other.
"""
