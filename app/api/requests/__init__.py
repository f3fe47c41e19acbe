"""Turns the bytes of a request into checked values.

Why fields are read one by one and not by a schema library: clients of OpenAI expect one error at a time, in a fixed order,
with OpenAI's wording, and unknown fields must be ignored.
"""
