"""Kokoro-82M: its files, its voice packs, its noise and its inference."""
