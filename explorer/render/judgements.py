"""Judgements of reasoning in words and signs."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from backend import correction_in_words
from backend.records.judges import Correction
from backend.records.reading import Judged, PathJudgement, QueuedPath, ValidSets
from backend.visible_text import visible_line
from backend.wording import count, set_name, with_noun
from explorer.render.text import join_lines, join_words, literal

JUDGEMENT_MARKS = {"valid": "V", "invalid": "X", "unsure": "U"}
"""Signs that differ without colour and from the verdicts' signs; nothing where a path is not judged."""
JUDGEMENT_STYLES = {"valid": "bold green", "invalid": "bold red", "unsure": "bold yellow"}


def judgements_line(said: Sequence[PathJudgement], most: int = 3) -> Content:
    """The judgements of a path, the newest first, each with author and time."""
    if not said:
        return literal("reasoning not judged yet:  v valid  x invalid  u unsure  n note", "dim")
    newest = list(reversed(said))
    counting: dict[tuple[str, str | None], PathJudgement] = {}
    for entry in newest:
        if entry.judgement is not None:
            counting.setdefault((entry.author, entry.version), entry)
    shown = [_one(entry, counting.get((entry.author, entry.version)) in (entry, None)) for entry in newest[:most]]
    more = [literal(f"and {len(said) - most} earlier", "dim")] if len(said) > most else []
    return join_lines([*shown, *more])


def _one(entry: PathJudgement, last: bool) -> Content:
    """Args: last: whether it is the last judgement of its author; notes are none."""
    what = entry.judgement or "note"
    counts = last or entry.judgement is None
    who = f"{entry.author} {entry.version}" if entry.version else entry.author
    parts = [
        literal(f"reasoning {what}", JUDGEMENT_STYLES.get(what, "bold") if counts else "dim"),
        literal(f"  {visible_line(who, 40)}, {entry.created:%Y-%m-%d %H:%M} UTC", "dim"),
    ]
    if not counts:
        parts.append(literal("  (before)", "dim"))
    if entry.note:
        parts.append(literal(f"  {visible_line(entry.note, 200)}"))
    return join_words(parts, "")


def queue_in_words(queue: Sequence[QueuedPath], author: str, *, blind: bool) -> str:
    """How far judging has come."""
    mine = sum(path.mine is not None for path in queue)
    settled = sum(path.settled is not None for path in queue)
    hidden = "; the models are hidden" if blind else ""
    return (
        f"{with_noun(len(queue), 'correct path')} of the hardest solvable problems (0 < c/n < 5 %): "
        f"{count(mine)} judged by {author}, {count(settled)} by anyone or a step checker{hidden}"
    )


def judged_in_words(judged: Judged) -> str:
    return (
        f"{count(judged.judged)} of {count(judged.right)} correct paths judged "
        f"({count(judged.valid)} valid, {count(judged.invalid)} invalid, {count(judged.unsure)} unsure)"
    )


def valid_sets_in_words(found: ValidSets, words: Sequence[str]) -> str:
    """How many paths are judged, and how many problems depend on unjudged ones."""
    runs = "; ".join(f"{word} {judged_in_words(judged)}" for word, judged in zip(words, found.judged, strict=True))
    return (
        f"c counts valid paths only: {runs}. "
        f"{len(found.open_problems):,} of {with_noun(len(found.sets.problems), 'problem')} "
        f"{'depends' if len(found.open_problems) == 1 else 'depend'} on unjudged paths"
    )


def corrected_sets_in_words(found: Correction, words: Sequence[str]) -> list[str]:
    """The solve sets by valid paths, corrected for a judge's errors, in two lines; why not, where they cannot be."""
    first = correction_in_words(found)[0]
    if found.sets is None:
        return [first]
    expected = (
        f"{set_name(entry, words)} {value:.0f} (95 % {low:.0f}–{high:.0f})"
        for entry, (value, low, high) in found.sets.items()
    )
    return [first, f"expected: {', '.join(expected)}"]
