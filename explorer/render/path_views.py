"""The views of a path: raw, as it is stored, and a reading view. Special tokens and a cut end are seen in both.

Another view is one more entry of `VIEWS`; what it adds or replaces must carry a sign.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from backend.records import Path
from explorer.render.shown import Shown, plain
from explorer.render.visible import visible

View = Callable[[Path], Shown]

SPECIAL = re.compile(r"<[|｜][^<>|｜\n]{1,48}[|｜]>|</?(?:s|bos|eos|pad|unk|think|answer|tool_call)>|\[/?INST\]")
"""Tokens that templates and tokenizers give a meaning."""

SPECIAL_LOOK = "bold magenta"

CUT_OFF = "⏹ cut off here"


def raw_view(path: Path) -> Shown:
    """Exactly what is stored."""
    if path.text is None:
        return plain("No text is stored for this sample.")
    text = path.text
    spans = [(found.start(), found.end(), SPECIAL_LOOK) for found in SPECIAL.finditer(text)]
    return with_end(path, Shown(visible(text), tuple(spans)))


def reading_view(path: Path) -> Shown:
    """LaTeX as Unicode, code in colours, Markdown's structure."""
    from explorer.render.reading_view import readable

    return raw_view(path) if path.text is None else with_end(path, readable(path.text, path.answer_span))


VIEWS: Mapping[str, View] = {"raw": raw_view, "reading": reading_view}
"""In the order of the key."""


def with_end(path: Path, shown: Shown) -> Shown:
    """Say at its end that a text was cut off."""
    reason = path.sample.finish_reason
    if path.sample.verdict != "truncated" and reason not in ("length", "max_tokens"):
        return shown
    sign = f"{CUT_OFF} (finish {visible(reason).replace(chr(10), ' ')})" if reason else CUT_OFF
    start = len(shown.text) + 1
    return Shown(
        f"{shown.text}\n{sign}",
        (*shown.spans, (start, start + len(sign), "reverse")),
        # Behind the last character nothing more is stored.
        (*shown.moves, (len(path.text or ""), len(shown.text))),
    )
