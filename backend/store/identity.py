"""Keys that follow from content, so that writers who never met give the same thing the same key."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b

_SURROGATES = re.compile("[\ud800-\udfff]")


def without_surrogates(value: str) -> str:
    """Text that UTF-8 can hold: lone surrogates become U+FFFD."""
    return _SURROGATES.sub("\ufffd", value)


def _key(*fields: str) -> int:
    joined = "\x1f".join(fields).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(joined, digest_size=8).digest(), "big")


def normalise_statement(statement: str) -> str:
    """A statement with every run of whitespace as one space: what makes two statements the same problem."""
    return " ".join(statement.split())


def problem_key(benchmark: str, statement: str | None, problem_id: str) -> int:
    """Key of a problem: benchmark and normalised statement, or benchmark and id where no statement is known.

    Returns:
        An unsigned 64-bit integer. A statement and an id never give the same key.
    """
    if statement is not None and (text := normalise_statement(statement)):
        return _key("statement", benchmark, text)
    return _key("id", benchmark, problem_id)


@lru_cache(maxsize=4096)
def run_key(run: str) -> int:
    """Key of a run: its name. An unsigned 64-bit integer."""
    return _key("run", run)


def source_key(digest: str, run: str) -> int:
    """Key of a source file as imported into one run. An unsigned 64-bit integer."""
    return _key("source", digest, run)
