"""Values of table cells as numbers: csv cells are strings, Parquet and JSON numbers may be of any size."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_DIGITS = re.compile(r"\s*[+-]?\d{1,30}\s*")


def integer(value: Any) -> int:
    """A whole number that 64 bits hold.

    Raises:
        ValueError, TypeError, OverflowError: it is none.
    """
    number = value if isinstance(value, int) else int(value) if _DIGITS.fullmatch(str(value)) else float(value)
    if number != int(number) or not -(2**63) <= number < 2**63:
        raise ValueError
    return int(number)


def count(value: Any) -> int:
    """A whole number from 0 that 32 bits hold: tokens, steps, indices; raises like `integer`."""
    number = integer(value)
    if not 0 <= number < 2**31 - 1:
        raise ValueError
    return number


def plain(value: Any) -> Any:
    """A parameter as a number where it is one."""
    if isinstance(value, str):
        try:
            return json.loads(value) if value[:1] in "-0123456789." else value
        except ValueError:
            return value
    return value


def as_they_are(values: Sequence[Any], convert: Callable[[Any], Any]) -> bool:
    """Whether a whole column needs no conversion: the types of Parquet and JSON are mostly right already."""
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {int} and convert in (integer, count):
        known = [value for value in values if value is not None]
        low, high = (0, 2**31 - 2) if convert is count else (-(2**63), 2**63 - 1)
        return bool(low <= min(known) and max(known) <= high)
    return False


def short(value: Any) -> str:
    """A value in an error: `repr`, cut where it is long."""
    if isinstance(value, int) and abs(value) >= 10**30:
        return "a number of many digits"
    shown = repr(value)
    return shown if len(shown) <= 80 else shown[:79] + "…"


def figure(value: Any) -> str:
    """A score in a detail: six digits of it, and whatever else it may be cut short."""
    return f"{value:g}" if isinstance(value, float) else short(value)


WANTED: dict[Callable[[Any], Any], str] = {
    integer: "whole number",
    count: "whole number from 0 to 2,147,483,646",
}
"""What a conversion expects, in words."""


def mapping(value: Any) -> Mapping[str, Any]:
    """An object of a file that may be missing or be something else: then one without fields."""
    return value if isinstance(value, dict) else {}
