"""English: numbers, dates, units and abbreviations as words.

Why a file for each kind of number: the words around a number say whether it is a year, a score or a chapter, and each kind has
its own such words.
"""
