"""The words of formulas."""

from typing import Annotated

import msgspec

from workers.text.locales.entries import Table, Words, check_placeholders


class Math(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The words of formulas. The comments in `en.toml` explain each entry."""

    minus: str
    negative: str
    times: str
    per: str
    squared: str
    cubed: str
    power: str
    index: str
    prime: str
    double_prime: str
    inverse: str
    transpose: str
    star: str
    of_function: str
    of: str
    fraction: str
    long_fraction: str
    square_root: str
    cube_root: str
    other_root: str
    log_base: str
    group: str
    interval: str
    absolute: str
    norm: str
    floor: str
    ceiling: str
    set_of: str
    such_that: str
    given: str
    factorial: str
    choose: str
    matrix: str
    and_so_on: str
    verb: str = ""
    after_let: Words = ()
    element_digits: Words = ()
    letters: Table = {}
    contractions: Table = {}
    greek: Annotated[Words, msgspec.Meta(min_length=24, max_length=24)]
    large: dict[str, tuple[str, str, str]]
    symbols: Table
    functions: Table
    accents: Table
    sets: Table
    units: Table

    def __post_init__(self) -> None:
        for name in (
            "squared",
            "cubed",
            "power",
            "index",
            "prime",
            "double_prime",
            "inverse",
            "transpose",
            "star",
            "factorial",
        ):
            template = getattr(self, name)
            if not template.startswith("{base}"):
                raise ValueError(f"`math.{name}` does not begin with {{base}}")
            check_placeholders(f"math.{name}", template, ["base", "power", "index"])
        for name in (
            "square_root",
            "cube_root",
            "other_root",
            "group",
            "absolute",
            "norm",
            "floor",
            "ceiling",
            "set_of",
            "matrix",
        ):
            check_placeholders(f"math.{name}", getattr(self, name), ["content", "index"])
        for name in ("fraction", "long_fraction", "choose"):
            check_placeholders(f"math.{name}", getattr(self, name), ["over", "under"])
        check_placeholders("math.of", self.of, ["function", "argument"])
        check_placeholders("math.log_base", self.log_base, ["base"])
        for sign, templates in self.large.items():
            for template in templates:
                check_placeholders(f"math.large.{sign}", template, ["low", "high"])
        check_placeholders("math.interval", self.interval, ["low", "high"])
        for command, template in self.accents.items():
            check_placeholders(f"math.accents.{command}", template, ["base"])
