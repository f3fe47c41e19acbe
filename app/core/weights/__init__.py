"""Kokoro's files on this machine: where they are, which set is used, and whether new ones have arrived.

Why the HTTP side looks too: `koe serve` starts new workers when the files arrive, and it does not import the workers.
"""
