"""What a request for speech can say: text, voice, language, format, speed, pronunciations.

Why everything is resolved here once, into an `Utterance`: two requests that sound the same then have the same digest,
whichever alias, blend or spelling they use, and that digest names the work and the audio everywhere.

Why it needs the standard library and msgspec alone: tables and rules are tested without Redis, HTTP or a model.
"""
