"""Kokoro's files: where they lie, which of them speaks, and whether others have come."""
