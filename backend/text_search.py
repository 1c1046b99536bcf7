"""Search in the texts of samples: plain strings and regular expressions, run by run, hits as they are found."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from backend.errors import UsageError
from backend.records import Run
from backend.records.samples import Findings, Hit, RunHits
from backend.store.reads import Reader

AROUND = 60
"""Characters of an excerpt before and after the match."""

AT_ONCE = 2_000
"""Hits handed on together; the first ones come sooner."""

FIRST = 20
"""Hits after which the first findings of a run are handed on."""

LONGEST = 500
"""Characters of a pattern. RE2 bounds what a pattern costs; this bounds what a person can still read."""


PATIENCE = 0.5
"""Seconds that matches are looked for in one text."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Where a pattern matches in a text."""

    places: tuple[tuple[int, int], ...] = ()
    """Start and end in characters, without overlaps."""
    whole: bool = True
    """Whether these are all: it is given up after so many matches, or so long."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What is searched for, in DuckDB's words and in the user's."""

    written: str
    """As the user wrote it: text, or /a regular expression/, or /the same in any case/i."""
    sql: str
    """The string, or the regular expression in RE2's dialect."""
    regex: bool

    @property
    def hits_query(self) -> str:
        """The query of the samples that match, with where they do."""
        return "search/regex_hits" if self.regex else "search/plain_hits"

    @property
    def samples_query(self) -> str:
        """The query of the samples that match, and nothing more."""
        return "exports/found_regex" if self.regex else "exports/found_plain"

    @property
    def counts_query(self) -> str:
        """The query of how many samples of each problem match."""
        return "search/problems_with_regex" if self.regex else "search/problems_with_plain"

    def spans(self, text: str, most: int = 10_000, seconds: float = PATIENCE) -> Spans:
        """Where it matches in a text; what is empty is left out."""
        import re2

        found: list[tuple[int, int]] = []
        deadline = time.monotonic() + seconds
        for match in _compiled(self.sql if self.regex else re2.escape(self.sql)).finditer(text):
            if match.end() > match.start():
                found.append(match.span())
            # One match is linear in the text; all of them together may be quadratic, as of /x.*y|x/ where no y comes.
            if len(found) == most or time.monotonic() > deadline:
                return Spans(tuple(found), whole=False)
        return Spans(tuple(found))


def _compiled(pattern: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def compile_regex(expression: str) -> Any:
    """An expression as RE2 searches with it. Raises UsageError: it is none, and why."""
    import re2

    try:
        return _compiled(expression)
    except re2.error as error:
        said = error.args[0] if error.args else ""
        reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        hint = "RE2 has no look-around and no back-references." if "perl operator" in reason else ""
        raise UsageError("Not a regular expression", reason, hint) from None


def pattern(written: str) -> Pattern:
    """A pattern as it is typed: plain text as it stands, `/.../` a regular expression, `/.../i` one that ignores case.

    The dialect is RE2's: linear in time, no look-around, no back-references; `.` matches no line break without `(?s)`.

    Raises:
        UsageError: nothing to search for, too long, or not a regular expression; says what is wrong with it.
    """
    if not written.strip():
        raise UsageError("Nothing to search for", next_step="Type a text, or /a regular expression/.")
    if len(written) > LONGEST:
        raise UsageError(f"A pattern of {len(written):,} characters is too long", f"At most {LONGEST} are taken.")
    head, slash, tail = written[1:].rpartition("/")
    if written[0] != "/" or not slash or tail not in ("", "i") or not head:
        return Pattern(written, written, regex=False)
    return Pattern(written, _regex(head, ignore_case=tail == "i"), regex=True)


def pattern_in_progress(written: str) -> str:
    """What to say of a pattern while it is typed: what is wrong with it, or how it is read; empty if that is clear."""
    if not written:
        return ""
    try:
        pattern(written + "/" if _is_open(written) else written)
    except UsageError as error:
        return str(error).replace("\n", "  ")
    if _is_open(written):
        return "Read as text; a / at its end makes it a regular expression."
    return ""


def _is_open(written: str) -> bool:
    """Whether it begins as a regular expression that has not ended yet."""
    return written[0] == "/" and len(written) > 1 and not pattern(written).regex


def regex_pattern(expression: str, *, ignore_case: bool = False) -> Pattern:
    """A regular expression that is given as such; raises like `pattern`."""
    return pattern(f"/{expression}/{'i' if ignore_case else ''}")


def text_in_any_case(text: str) -> Pattern:
    """A plain text that is found in any case; raises like `pattern`."""
    import re2

    return regex_pattern(re2.escape(text), ignore_case=True)


def _regex(expression: str, *, ignore_case: bool) -> str:
    import re2

    sql = f"(?i){expression}" if ignore_case else expression
    compile_regex(sql)
    try:
        # As queries/search/regex_hits.sql embeds it. What breaks there is a quotation that is not closed: \Qtext
        _compiled(f"(?-s:{sql})")
    except re2.error:
        return sql + r"\E"
    return sql


def search(
    reader: Reader,
    runs: Sequence[Run],
    wanted: Pattern,
    *,
    problem: int | None = None,
    sample: int | None = None,
    problems: Collection[int] | None = None,
    most: int | None = None,
) -> Generator[Findings, None, None]:
    """Search the texts of some runs, one after the other, in the order of the store.

    Args:
        problem: key of the only problem to search in.
        sample: index of the only sample to search in.
        problems: keys of the only problems to search in; None for all.
        most: hits to hand on; those beyond are only counted.

    Yields:
        Findings whenever some hits have come and at the end of every run; the last says finished.

    Raises:
        Cancelled: interrupted.
        StoreError: DuckDB failed.
    """
    start, handed_on = time.monotonic(), 0
    progress = [RunHits(run.name, 0, 0, {}, finished=False) for run in runs]

    def findings(hits: Sequence[Hit], *, finished: bool = False) -> Findings:
        return Findings(tuple(hits), tuple(progress), finished, time.monotonic() - start)

    for place, run in enumerate(runs):
        found: Counter[int] = Counter()
        searched = run.texts if problem is None and problems is None else 0
        where = {"run_key": run.key, "problem_key": problem, "sample": sample, "pattern": wanted.sql}
        room = None if most is None else most - handed_on
        whole = room is None or room > 0
        if whole:
            with reader.stream(wanted.hits_query, FIRST, AT_ONCE, **where, around=AROUND) as batches:
                for rows in batches:
                    kept = [row for row in rows if problems is None or row[0] in problems][:room]
                    found.update(row[0] for row in kept)
                    progress[place] = RunHits(run.name, searched, found.total(), dict(found), finished=False)
                    if kept:
                        handed_on += len(kept)
                        yield findings(_hits(reader, run, kept))
                    if room is not None and (room := room - len(kept)) <= 0:
                        whole = False
                        break
        if not whole:
            # What stands around a match costs more than to see that there is one: what is not shown is only counted.
            counted = reader.rows(wanted.counts_query, **where)
            found = Counter({key: samples for key, samples in counted if problems is None or key in problems})
        progress[place] = RunHits(run.name, searched, found.total(), dict(found), finished=True)
        yield findings((), finished=place == len(runs) - 1)
    if not runs:
        yield findings((), finished=True)


def problems_with(reader: Reader, runs: Sequence[Run], wanted: Pattern) -> frozenset[int]:
    """Keys of the problems of which a sample of one of these runs matches; raises like `search`."""
    every = {"problem_key": None, "sample": None, "pattern": wanted.sql}
    found = (reader.cached_rows(wanted.counts_query, run_key=run.key, **every) for run in runs)
    return frozenset(key for rows in found for key, _ in rows)


def _hits(reader: Reader, run: Run, rows: Sequence[tuple[Any, ...]]) -> list[Hit]:
    keys, samples = [row[0] for row in rows], [row[1] for row in rows]
    verdicts = {
        (key, index): verdict
        for key, index, verdict in reader.rows("search/verdicts", run_key=run.key, problem_keys=keys, samples=samples)
    }
    labels = reader.labels(run.benchmark)
    return [
        Hit(
            run.name,
            run.benchmark,
            key,
            labels[key],
            index,
            verdicts[key, index],
            found,
            length,
            excerpt,
            min(found, AROUND),
        )
        for key, index, found, length, excerpt in rows
    ]
