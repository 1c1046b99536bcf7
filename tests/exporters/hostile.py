"""Texts as a model may write them, for every form that they are put into."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

TEXTS = (
    "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">",
    "--><script>document.title='owned'</script><!-- ]]> <![CDATA[",
    "</pre></details></div></body><h1>out</h1>",
    "\\input{/etc/passwd} \\write18{id} $x_1^2$ & % # ~ {unbalanced \\\\[2em] \\end{longtable} *star",
    '=HYPERLINK("http://example.invalid","click")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "| cell | **bold** [link](http://example.invalid) `code` <b>html</b> www.example.invalid",
    "```\nfence\n````\nmore\n`````",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b31m bell \x07 nul \x00 del \x7f",
    "\u202eright to left\u202c \u200bzero width \ufeff mark \u2028line\u2029 paragraph",
    "中文 emoji 🙂 accents äöü ŉ combining e\u0301 private \ue000",
    "\n\nleading and trailing newlines\n\n",
    "# heading\n- list\n> quote\n    code\n---\nfrontmatter: true\n---",
    "{% raw %} {{ template }} ${shell} $(id) `id`",
    "",
    "a" * 30_000,
)


def hostile_rows() -> Iterator[dict[str, Any]]:
    """Two runs; every text is a statement, a reference, an answer and a path."""
    for run, role in (("base & <b>", "base"), ("rl $_1$ | x", "rl")):
        for place, text in enumerate(TEXTS):
            for sample in range(4):
                right = sample % 2 == 0 and (place % 2 == 0) == (role == "base")
                yield {
                    "problem_id": f"{place}-{text[:40]}",
                    "statement": f"{place}: {text}" if text else f"{place}: empty",
                    "reference_answer": text[:200] or "none",
                    "level": text[:30] or "Level 1",
                    "completion": text if sample else f"{text}!",
                    "is_correct": right,
                    "extracted_answer": text[:300],
                    "index": sample,
                    "tokens": sample + 1,
                    "model": run,
                    "role": role,
                    "benchmark": "hostile <i>&\"'",
                    "temperature": 0.6,
                }


RUNS = tuple(f"{model}@hostile <i>&\"'" for model in ("base & <b>", "rl $_1$ | x"))
