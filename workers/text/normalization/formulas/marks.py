"""Small numbers that Markdown marks: H~2~O, x^2^.

Why they are read with the formulas: the formula is found only when its small numbers are small.
"""

import re
from typing import Final

from workers.text.normalization.rules import Rule

_SUBSCRIPTS: Final = str.maketrans("0123456789+-", "₀₁₂₃₄₅₆₇₈₉₊₋")
_SUPERSCRIPTS: Final = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")

SMALL: Final = (
    Rule(re.compile(r"(?<=[\w)])~(?P<n>[0-9]{1,4}[+-]?)~"), lambda match: match["n"].translate(_SUBSCRIPTS)),
    Rule(re.compile(r"(?<=[\w)])\^(?P<n>[-−+]?[0-9]{1,4}[+-]?)\^"), lambda match: match["n"].translate(_SUPERSCRIPTS)),
)
