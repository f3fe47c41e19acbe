"""The words of each language, in one TOML file per locale, and the loader that checks them.

Why TOML: a speaker of a language can correct its words without reading Python.

Why the files are not part of normalization: the code for segments and chapters needs the words of a language too.
"""
