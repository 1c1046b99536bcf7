r"""A path as one reads it on paper: formulas in Unicode, code in colours, Markdown's structure by its looks.

Nothing is taken away: Markdown's own characters stay. The one thing that is replaced is a formula, only where
`latex.unicode_formula` says that nothing is lost, and it stands in ⟪ ⟫ instead of its delimiters; one that is kept
keeps its `$` or `\(`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from backend.visible_text import visible
from explorer.render.latex import unicode_formula
from explorer.render.text import SPECIAL, SPECIAL_STYLE, VisibleText

LONGEST_FORMULA = 2_000
"""Characters between two delimiters that may be a formula."""

LONGEST_CODE = 50_000
"""Characters of a block of code that are coloured."""

CONVERTED = ("⟪", "⟫")
"""Stand around what is not as it was generated."""

FORMULA_STYLE, CODE_STYLE = "cyan", "yellow"

_FENCE = re.compile(r"^[ ]{0,3}(```+|~~~+)[ ]*([\w+#.-]*)[^\n]*$", re.MULTILINE)
_OPENER = re.compile(r"\$\$|\$|\\\[|\\\(")
_CLOSERS = {"$$": "$$", "$": "$", "\\[": "\\]", "\\(": "\\)"}
_MARKDOWN = re.compile(
    rf"""(?P<special>{SPECIAL.pattern})
    |(?P<heading>^\#{{1,6}}[ ][^\n]*)
    |(?P<strong>\*\*[^*\n]{{1,300}}\*\*)
    |(?P<code>`[^`\n]{{1,300}}`)
    |(?P<item>^[ ]{{0,12}}(?:[-*+]|\d{{1,3}}[.)])(?=[ ]))
    |(?P<quote>^>[^\n]*)
    |(?P<rule>^(?:---+|\*\*\*+|___+)[ ]*$)""",
    re.MULTILINE | re.VERBOSE,
)
_STYLES = {
    "special": SPECIAL_STYLE,
    "heading": "bold underline",
    "strong": "bold",
    "code": CODE_STYLE,
    "item": "bold",
    "quote": "italic",
    "rule": "dim",
}
_CODE_STYLES = (
    ("Token.Comment", "italic dim"),
    ("Token.Keyword", "bold magenta"),
    ("Token.Literal.String", "green"),
    ("Token.Literal.Number", "cyan"),
    ("Token.Name.Function", "bold"),
    ("Token.Name.Builtin", "blue"),
)


def readable(text: str, answer: tuple[int, int] | None = None) -> VisibleText:
    """The reading view of a text.

    Args:
        text: as it is stored.
        answer: where the extracted answer stands. Its formula is converted only if its place is known afterwards too.
    """
    page = _Page(text, answer)
    at, fence = 0, None
    for found in _FENCE.finditer(text):
        if fence is None:
            page.prose(at, found.start())
            fence, at = found, found.start()
        elif found[1].startswith(fence[1]) and not found[2]:
            page.code(fence, found.start(), found.end())
            fence, at = None, found.end()
    if fence is None:
        page.prose(at, len(text))
    else:
        page.code(fence, len(text), len(text))
    return page.finished()


class _Page:
    """What has been put together so far."""

    def __init__(self, text: str, answer: tuple[int, int] | None) -> None:
        self.text = text
        self.answer = answer
        self.pieces: list[str] = []
        self.length = 0
        self.spans: list[tuple[int, int, str]] = []
        self.moves = [(0, 0)]

    def finished(self) -> VisibleText:
        return VisibleText(visible("".join(self.pieces)), tuple(self.spans), tuple(self.moves))

    def _keep(self, start: int, end: int, style: str = "") -> None:
        """A stretch of the text as it is."""
        if end > start:
            if style:
                self.spans.append((self.length, self.length + end - start, style))
            self.pieces.append(self.text[start:end])
            self.length += end - start

    def prose(self, start: int, end: int) -> None:
        """Text with formulas in it."""
        at = start
        closing: dict[str, int] = {}
        while (opener := _OPENER.search(self.text, at, end)) is not None:
            closer = _CLOSERS[opener.group()]
            inside = opener.end()
            last = closing.get(closer, -1)
            if last < inside:
                last = closing[closer] = self._find(closer, inside, end)
            self._marked_down(at, opener.start())
            at = inside
            if last - inside > LONGEST_FORMULA or last == end or self._is_price(closer, inside, last):
                self._keep(opener.start(), inside)
                continue
            at = last + len(closer)
            self._formula(opener.start(), inside, last, at)
        self._marked_down(at, end)

    def _find(self, closer: str, start: int, end: int) -> int:
        found = self.text.find(closer, start, end)
        return end if found < 0 else found

    def _is_price(self, closer: str, start: int, end: int) -> bool:
        """A dollar sign that opens no formula: white space beside it, or a line between it and the next."""
        inner = self.text[start:end]
        return closer == "$" and (not inner or inner[0].isspace() or inner[-1].isspace() or "\n" in inner)

    def _formula(self, start: int, inside: int, last: int, end: int) -> None:
        source = self.text[inside:last]
        formula = unicode_formula(source)
        if formula is None or formula.text == source or not self._answer_is_kept(start, end, inside, formula.boxes):
            self._keep(start, end, FORMULA_STYLE)
            return
        before, after = CONVERTED
        shown = f"{before}{formula.text}{after}"
        self.spans.append((self.length, self.length + len(shown), FORMULA_STYLE))
        self.moves.append((start, self.length))
        self.moves.extend((inside + at, self.length + 1 + there) for at, there in formula.boxes)
        self.moves.append((end, self.length + len(shown)))
        self.pieces.append(shown)
        self.length += len(shown)

    def _answer_is_kept(self, start: int, end: int, inside: int, boxes: tuple[tuple[int, int], ...]) -> bool:
        if self.answer is None or self.answer[1] <= start or self.answer[0] >= end:
            return True
        known = {inside + at for at, _ in boxes}
        return known.issuperset(self.answer)

    def _marked_down(self, start: int, end: int) -> None:
        at = start
        for found in _MARKDOWN.finditer(self.text, start, end):
            self._keep(at, found.start())
            self._keep(found.start(), found.end(), _STYLES[str(found.lastgroup)])
            at = found.end()
        self._keep(at, end)

    def code(self, fence: re.Match[str], end: int, behind: int) -> None:
        """A block of code with its fences."""
        self._keep(fence.start(), fence.end(), "dim")
        at = fence.end()
        for start, stop, style in _coloured(self.text[at:end], fence[2]):
            self._keep(at + start, at + stop, style)
        self._keep(end, behind, "dim")


def _coloured(code: str, language: str) -> Iterator[tuple[int, int, str]]:
    """Pieces of the code with their looks; together they are the code, whatever the lexer makes of it."""
    at = 0
    if language and len(code) <= LONGEST_CODE:
        from pygments.lexers import get_lexer_by_name
        from pygments.util import ClassNotFound

        try:
            lexer = get_lexer_by_name(language.lower())
        except ClassNotFound:
            lexer = None
        for start, token, value in lexer.get_tokens_unprocessed(code) if lexer else ():
            if start != at:
                break
            name = str(token)
            yield (
                at,
                at + len(value),
                next((style for kind, style in _CODE_STYLES if name.startswith(kind)), CODE_STYLE),
            )
            at += len(value)
    yield at, len(code), CODE_STYLE
