"""From an outcome to the bytes of an answer."""
