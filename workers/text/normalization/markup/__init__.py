"""Markup and the layout of a text: lines, tables, notes, code, subtitles, the signs of chats.

Why before numbers are read: a mark next to a number, such as that of a note, would be read as a part of the number.
"""
