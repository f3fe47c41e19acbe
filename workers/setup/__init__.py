"""Preparing a machine: downloads, conversions and checks of what an engine needs.

Why versions, sizes and digests stand in one table: nothing is loaded that was not verified.

Why this is apart from the engines: an engine never downloads anything.
"""
