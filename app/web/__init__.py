"""The page at `GET /`, one HTML file.

Why one file: it needs no build step, and it loads nothing from another host.
"""
