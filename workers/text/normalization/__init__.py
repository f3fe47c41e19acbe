"""Text normalization: removes markup, and writes numbers, dates, units and abbreviations as words.

Why rules and not a model: the same text must always give the same words, and a wrong reading must be correctable in one
place.

Why each language has its own rules: the words for a number depend on grammar, such as gender, case and order.
"""
