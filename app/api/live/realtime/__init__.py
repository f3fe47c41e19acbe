"""OpenAI's Realtime API as a reader: a client gives it text, and it speaks the text word for word."""
