"""Formulas as words: LaTeX, powers and signs in plain text, chemical formulas.

Why a folder of its own: a formula is read as a tree of terms, and all kinds of formulas share that tree and its words.
"""
