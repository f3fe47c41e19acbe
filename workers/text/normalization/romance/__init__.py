"""Spanish, French, Italian and Portuguese: numbers, dates, units and abbreviations as words.

Why the four languages share their rules: they write numbers alike. They differ in words and genders, which their locales have.
"""
