"""Mandarin and Japanese: numbers, dates, units and signs as words.

Why both share their rules: they write numbers, counters and signs alike, without spaces between words.
"""
