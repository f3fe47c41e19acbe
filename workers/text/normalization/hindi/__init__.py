"""Hindi: numbers, dates, units and abbreviations as words.

Why it has its own folder: it has words for quarters and halves of any number, and abbreviations in its own script.
"""
