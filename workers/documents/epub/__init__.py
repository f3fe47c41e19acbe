"""EPUB: the books of shops and libraries, versions 2 and 3.

Why Koe reads them itself: the library for it has a licence that Koe cannot use, and only three files beside the text matter:
the container, the package and the table of contents.
"""
