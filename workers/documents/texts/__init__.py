"""Files that are plain text: in any encoding, as prose, Markdown or subtitles.

Why plain text needs reading at all: its lines are often wrapped at a width, and Koe would pause at the end of each.
"""
