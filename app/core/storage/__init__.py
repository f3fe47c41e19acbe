"""Redis: how Koe finds, starts, checks and connects to it, and the keys that Koe stores in it.

Why every key is named in one module: a key is part of the protocol between processes, and one table shows all of them with
their lifetimes.

Why a server is embedded: `koe serve` needs no other service. The same code uses another Redis when a setting names one.
"""
