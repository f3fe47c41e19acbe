"""Formulas as words: LaTeX, powers and signs in plain text, chemical formulas."""
