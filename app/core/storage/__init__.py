"""Redis: how to find, start, check and connect to it, and the keys that Koe keeps in it.

Why every key is named in one module: a key is part of the protocol between processes, and one table shows all of them with
their lifetimes.

Why a server is embedded: `koe serve` needs no other service. The same code uses a Redis elsewhere when a setting names one.
"""
