"""Koe's HTTP side: an OpenAI-compatible speech API in front of workers that speak."""

__version__ = "0.1.0"
