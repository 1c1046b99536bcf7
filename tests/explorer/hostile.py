"""The nastiest strings that a model, a file or a person may come up with, and a store full of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend.store.layout import StoreLayout
from tests.explorer.driving import import_into
from tests.support import jsonl

NASTY = {
    # These seven crash or are altered by most widgets that read markup.
    "markup 1": r"\[ x = [1,2) \]",
    "markup 2": "[/b]",
    "markup 3": "[bold]x",
    "markup 4": "see [1] and [TODO]",
    "markup 5": "a [/",
    "markup 6": "[type=x, v={'a[0]'}]",
    "markup 7": r"\boxed{[0,1]}",
    "rich": "[red on blue]x[/] [link=https://a.b]c[/link] [@click=app.quit]go[/]",
    "emoji code": ":smile: :warning:",
    "colour": "a\x1b[31mHOSTILE\x1b[0m\x1b[2J\x1b[1;1Hb",
    "clipboard": "a\x1b]52;c;SE9TVElMRQ==\x07b",
    "link": "a\x1b]8;;https://HOSTILE\x1b\\text\x1b]8;;\x1b\\b",
    "title": "a\x1b]0;HOSTILE\x07b",
    "other escapes": "a\x1bP1$r\x1b\\\x1bc\x1b[?1049l\x1b[6n\x1b#8b",
    "nul": "a\x00b",
    "bell": "a\x07b\x08c\x7fd",
    "c1": "a\x9b31mHOSTILE\x9c\x90\x85b",
    "surrogates": "a\ud800b\udfffc",
    "right to left": "a\u202egnp.exe\u202c \u2066x\u2069 \u200f\u061cb",
    "hebrew": "\u05e9\u05dc\u05d5\u05dd \u0639\u0631\u0628",
    "joiners": "a\u200db\u200cc\u200bd\ufeffe\u00adf\u2060g\u180eh",
    "separators": "a\u2028b\u2029c",
    "tags": "a\U000e0041\U000e0042\U000e007fb",
    "wide": "\u65e5\u672c\u8a9e\u306e\u63a8\u8ad6\uff21\uff22 \U0001f600"
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea",
    "combining": "e\u0301" + "a" + "\u0300\u0323" * 60 + "\u0301 \ufe0f",
    "tabs": "a\tb\t\tc",
    "crlf": "a\r\nb\rc\n\rd",
    "spaces": "   a   b   ",
    "many lines": "\n" * 10_000 + "end",
    "empty": "",
    "long": "".join(f"word{i} " for i in range(60_000))[:500_000],
    "long without a break": "x" * 500_000,
    "long and wide": "\u63a8\u8ad6\u3067\u3059" * 125_000,
}
"""What a string is -> the string."""

NAMES = (
    "model [/b] \x1b]0;HOSTILE\x07\u202e\u63a8 [bold]x",
    "model [type=x, v={'a[0]'}] \x9b31m\u200d\x00 \ud800 \n\t end",
)
BENCHMARK = "bench [1,2) \x1b[31mHOSTILE\u2066 [/b]\r\n\u63a8\u8ad6"
FILE = "results [b] \x1b]0;HOSTILE\x07 \u202e \n [bold].jsonl"


def stored(text: str) -> str:
    """What a store keeps of a text: lone surrogates have no place in UTF-8."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def hostile_rows(model: str, role: str) -> list[dict[str, Any]]:
    """Every nasty string as id, statement, reference, level, metadata, text and answer of a problem."""
    return [
        {
            "problem_id": f"{number} {text[:300]}",
            "question": f"{number} {text}",
            "reference_answer": text[:1000],
            "level": text[:200],
            "metadata": {text[:50]: text[:50]},
            "completion": text if sample else f"first: {text[:400]}",
            "is_correct": sample == 1,
            "extracted_answer": text[:3000],
            "finish_reason": text[:100],
            "model": model,
            "role": role,
            "benchmark": BENCHMARK,
            "template": NASTY["rich"],
        }
        for number, text in enumerate(NASTY.values())
        for sample in range(2)
    ]


def hostile_store(folder: Path) -> StoreLayout:
    layout = StoreLayout(folder / "store [b] \x1b]0;HOSTILE\x07\u202e.passk")
    for name, role in zip(NAMES, ("base", "rl"), strict=True):
        folder_of_role = folder / role
        folder_of_role.mkdir()
        import_into(layout, [jsonl(folder_of_role / FILE, hostile_rows(name, role))])
    return layout
