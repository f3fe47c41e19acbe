"""OpenAI's Realtime API as a reader: a client gives it text, and it speaks the text word for word.

Why the settings of a conversation are kept and not carried out: clients wait for them in the answers, and Koe has no model that
could converse.
"""
