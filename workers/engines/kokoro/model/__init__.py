"""Kokoro's inference: prosody, then samples, on a CPU or a GPU."""
