"""What speech is asked for: text, voice, format. Needs the standard library and msgspec alone."""
