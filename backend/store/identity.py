"""Keys that follow from content, so that writers who never met give the same thing the same key; and who writes."""

from __future__ import annotations

import os
import re
import unicodedata
from functools import lru_cache
from hashlib import blake2b

_SURROGATES = re.compile("[\ud800-\udfff]")


def without_surrogates(value: str) -> str:
    """Text that UTF-8 can hold: lone surrogates become U+FFFD."""
    return _SURROGATES.sub("\ufffd", value)


def _key(*fields: str) -> int:
    joined = "\x1f".join(fields).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(joined, digest_size=8).digest(), "big")


def canonical_text(text: str) -> str:
    """What of a text makes it the same: Unicode NFC; line ends and trailing blanks do not matter, all else does."""
    text = without_surrogates(text) if text.isascii() else unicodedata.normalize("NFC", without_surrogates(text))
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\n" not in text:
        return text.strip()
    return "\n".join(line.rstrip() for line in text.split("\n")).strip()


def problem_key(benchmark: str, statement: str | None, problem_id: str, *beside: str) -> int:
    """Key of a problem: benchmark and statement, or benchmark and id where no statement is known.

    Statements on one line with single blanks have the keys that every version of passk gave them. Older versions took
    all white space for one blank; `importers.known_problems` finds what they stored.

    Args:
        beside: what else makes it another problem than that of the same statement, such as its images.

    Returns:
        An unsigned 64-bit integer. A statement and an id never give the same key.
    """
    if statement is not None and (text := canonical_text(statement)):
        if beside or "\n" in text or text != " ".join(text.split()):
            return _key("content", benchmark, text, *beside)
        return _key("statement", benchmark, text)
    return _key("id", benchmark, problem_id, *beside)


@lru_cache(maxsize=4096)
def run_key(run: str) -> int:
    """Key of a run: its name. An unsigned 64-bit integer."""
    return _key("run", run)


def source_key(digest: str, run: str) -> int:
    """Key of a source file as imported into one run. An unsigned 64-bit integer."""
    return _key("source", digest, run)


def author_name() -> str:
    """Who writes: $PASSK_AUTHOR, else the name of the user."""
    from getpass import getuser

    try:
        return os.environ.get("PASSK_AUTHOR") or getuser()
    except (KeyError, OSError):
        return "unknown"
