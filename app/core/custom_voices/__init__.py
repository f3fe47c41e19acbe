"""The voices that users make, and the consents to them: OpenAI's custom voices.

A voice is a blend of Kokoro's voices under an id, or a voice pack that was uploaded. `custom_voices` and `voice_consents` are
the API's side; `packs` gives the packs to the workers.

Why all of it is in Redis: every API process and every worker then knows a new voice at once, and a deleted one no longer.
"""
