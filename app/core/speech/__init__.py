"""The content of a request for speech: text, voice, language, format, speed, pronunciations.

Why everything is resolved here once, into an `Utterance`: two requests for the same audio then have the same digest, whichever
alias, blend or spelling they use. That digest names the work and the audio everywhere.

Why it needs only the standard library and msgspec: tables and rules are tested without Redis, HTTP or a model.
"""
