"""Markup: HTML and XHTML become paragraphs of plain text.

Why the text keeps no HTML: speech needs paragraphs, lines, rows and the readings of ruby, all of which plain text has a form
for that Koe's normalization reads.
"""
