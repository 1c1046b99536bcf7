"""Text from data as it may be shown: every character that could command a terminal or hide becomes a symbol.

The one home for this, for screens, commands and documents alike. One character stays one character, so that positions
in the shown text are positions in the stored text. Characters that Unicode has not assigned yet, such as the emoji of
its next version, and those of private use stay as they are.
"""

from __future__ import annotations

import json
import re
from functools import cache

SUBSTITUTE = "\u2426"
"""SYMBOL FOR SUBSTITUTE FORM TWO: stands for control and format characters that have no symbol of their own."""

TAB = "\u21e5"
"""Stands for a tab where the width of one would be guesswork."""

_HIDDEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ud800-\udfff\ufeff\ufff0-\ufffb\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
"""Unicode categories Cc (but for line feed and tab), Cf, Zl, Zp and Cs: bidi overrides and isolates, zero-width
characters, tags; unassigned characters that are invisible by rule; and the two that XML cannot hold. Spelled out
because asking `unicodedata` for each costs as much as importing the whole app."""


@cache
def _pattern(more: str = "") -> re.Pattern[str]:
    return re.compile(f"[{_HIDDEN}{more}]")


def _symbol(found: re.Match[str]) -> str:
    char = found[0]
    if char == "\t":
        return TAB
    if char < " ":
        return chr(0x2400 + ord(char))
    return "\u2421" if char == "\x7f" else SUBSTITUTE


def visible(text: str, *, keep_tabs: bool = False) -> str:
    """The text with line feeds kept and every other control or format character as a visible symbol; same length.

    Args:
        keep_tabs: for documents, whose readers know what a tab is.
    """
    if text.isascii() and text.isprintable():
        return text
    return _pattern("" if keep_tabs else "\t").sub(_symbol, text)


def visible_line(text: str, longest: int | None = None) -> str:
    """The text on one line, cut with an ellipsis at `longest` characters."""
    if longest is not None and len(text) > longest:
        text = text[: longest - 1] + "…"
    return visible(text).replace("\n", "\u240a")


def escape_in_json(line: str) -> str:
    """A JSON text with the same characters as escapes: still the same value, and harmless on a terminal."""
    if line.isascii() and "\x7f" not in line:
        return line
    # json.dumps knows no escape for DEL, and writes characters beyond U+FFFF as the pair that JSON wants.
    return _pattern().sub(lambda found: "\\u007f" if found[0] == "\x7f" else json.dumps(found[0])[1:-1], line)
