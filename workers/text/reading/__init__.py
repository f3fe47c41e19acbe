"""What readers say where writers abbreviate: numbers, money, dates, units, addresses and signs as words, language by language.

Rules for each language, applied in a stated order; `workers.text.normalize` is who calls them.
"""
