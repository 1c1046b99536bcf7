"""Text from data as each form may hold it. Nothing that a model wrote becomes markup, a formula or a control code.

jsonl and Parquet keep every character; the forms for people and for spreadsheets show control and format characters as
visible symbols, as the explorer does.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any

import orjson

from backend.visible_text import escape_in_json, visible

_FORMULA = re.compile(r"\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?[\d.,/ ]+(?:[eE][+-]?\d+)?\s*%?")


def one_line(text: str, longest: int | None = None) -> str:
    """The text on one line, as a line of a document: line feeds and tabs are spaces; cut with an ellipsis."""
    if longest is not None and len(text) > longest:
        text = text[: longest - 1] + "…"
    return visible(" ".join(text.split()) if "\n" in text or "\t" in text else text)


def for_html(text: str) -> str:
    """Text for an element or an attribute in quotes."""
    return html.escape(visible(text, keep_tabs=True), quote=True)


def for_csv(text: str) -> str:
    """Text for a cell that a spreadsheet may open: what it would take for a formula begins with an apostrophe.

    Numbers stay as they are, with or without a sign. jsonl and Parquet hold the exact text.
    """
    shown = visible(text, keep_tabs=True)
    return f"'{shown}" if _FORMULA.match(shown) and not _NUMBER.fullmatch(shown.strip()) else shown


_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\symbol{34}",
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
    "-": "{-}",
    "*": "{*}",
    "[": "{[}",
    "]": "{]}",
    "–": "--",
    "…": r"\ldots{}",
    "→": r"$\to$",
    "×": r"$\times$",
}
"""`-` is in braces so that no ligature makes a dash of several; so are brackets
and stars, which mean something after `\\\\`."""


def for_latex(text: str) -> str:
    """Text on one line for a table cell, for any engine: what pdfLaTeX has no glyph for is named by its code point."""
    return "".join(_latex_char(char) for char in one_line(text))


def _latex_char(char: str) -> str:
    if char in _LATEX:
        return _LATEX[char]
    if char.isascii() or ("\u00c0" <= char <= "\u017f" and char not in "×÷ĸŉſ"):
        return char
    return f"U+{ord(char):04X}"


_MARKDOWN = re.compile(r"[\\`*_\[\]<>|~&$#]|(?<=[A-Za-z]):(?=//)|(?<=www)\.", re.IGNORECASE)


def for_markdown(text: str, longest: int | None = None) -> str:
    """Text on one line inside a Markdown paragraph or table cell: neither markup nor, as GitHub makes it, a link."""
    return _MARKDOWN.sub(r"\\\g<0>", one_line(text, longest))


def fenced(text: str) -> str:
    """A text as a Markdown code block whose fence is longer than any in the text."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}text\n{visible(text, keep_tabs=True)}\n{fence}"


def json_line(value: Any) -> bytes:
    """A value as one line of JSON in UTF-8: exact, with characters that could command a terminal as escapes."""
    try:
        line = orjson.dumps(value)
    except TypeError:
        # Integers beyond 64 bits and lone surrogates, as metadata may hold them.
        line = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()
    if line.isascii() and b"\x7f" not in line:
        return line
    return escape_in_json(line.decode()).encode()


def json_text(value: Any) -> str:
    return json_line(value).decode()
