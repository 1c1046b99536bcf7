"""Text from a model as a terminal may show it: every character that could command the terminal becomes a symbol.

One character stays one character, so that positions in the shown text are positions in the stored text.
"""

from __future__ import annotations

from functools import cache

SUBSTITUTE = "\u2426"
"""SYMBOL FOR SUBSTITUTE FORM TWO: stands for control and format characters that have no symbol of their own."""


_FORMAT = (
    (0xAD, 0xAD), (0x600, 0x605), (0x61C, 0x61C), (0x6DD, 0x6DD), (0x70F, 0x70F), (0x890, 0x891), (0x8E2, 0x8E2),
    (0x180E, 0x180E), (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0xD800, 0xDFFF), (0xFEFF, 0xFEFF),
    (0xFFF9, 0xFFFB), (0x110BD, 0x110BD), (0x110CD, 0x110CD), (0x13430, 0x1343F), (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A), (0xE0000, 0xE007F),
)  # fmt: skip
"""Unicode categories Cf, Zl, Zp and Cs: bidi overrides and isolates, zero-width characters, tags. Spelled out because
asking `unicodedata` for each costs as much as importing the whole app."""


@cache
def _table() -> dict[int, str]:
    table = {code: chr(0x2400 + code) for code in range(0x20) if code != 0x0A}
    table[0x09] = "\u21e5"
    table[0x7F] = "\u2421"
    table.update((code, SUBSTITUTE) for code in range(0x80, 0xA0))
    for first, last in _FORMAT:
        table.update((code, SUBSTITUTE) for code in range(first, last + 1))
    return table


def visible(text: str) -> str:
    """The text with line feeds kept and every other control or format character as a visible symbol; same length."""
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_table())


def visible_line(text: str, longest: int | None = None) -> str:
    """The text on one line, cut with an ellipsis at `longest` characters."""
    if longest is not None and len(text) > longest:
        text = text[: longest - 1] + "…"
    return visible(text).replace("\n", "\u240a")
