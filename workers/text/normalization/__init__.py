"""Text normalization: markup removed, and numbers, dates, units and abbreviations written as words.

Why rules and not a model: the same text must always give the same words, and a wrong reading must be correctable in one
place.

Why each language has rules of its own: which words a number takes depends on grammar, such as gender, case and order.
"""
