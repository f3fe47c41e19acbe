"""English phonemes: Misaki, the tags of spaCy, homographs, letters.

Why Misaki's result is changed: its dictionary knows one sound of most homographs, and the words around tell which is meant.
"""
