"""Prepares a machine: downloads, converts and checks the files that an engine needs.

Why versions, sizes and digests stand in one table: every file is verified before it is loaded.

Why this package is separate from the engines: an engine never downloads anything.
"""
