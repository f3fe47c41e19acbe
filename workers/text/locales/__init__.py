"""The words of each language, in one TOML file per locale, and the loader that checks them.

Why TOML: a speaker of a language can correct what is spoken in it without reading Python.

Why the files are not part of normalization: segments and chapters depend on the words of a language too.
"""
