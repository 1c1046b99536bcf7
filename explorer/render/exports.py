"""Exports in words: the command that makes the same file, and what was written."""

from __future__ import annotations

from collections.abc import Sequence

from backend.records.exports import Exported, ExportRequest
from backend.visible_text import visible_line


def command_words(request: ExportRequest, path: str, store: str | None = None) -> list[str]:
    """The command that makes the same file; what the dialog shows and a script may say.

    Args:
        store: the store's folder, where it is not the one that is opened without a name.
    """
    usual = ExportRequest(request.what, request.form, request.runs)
    words = ["passk", "export", *([] if request.what == "datasets" else [request.what])]
    pair = len(request.runs) == 2 and request.what in ("sets", "difference", "audit")
    options = ("--base", "--rl") if pair else ("--run",) * len(request.runs)
    for option, run in zip(options, request.runs, strict=True):
        words += [option, run]
    for option, field in (
        ("--problems", "problems"), ("--min-correct", "min_correct"), ("--bands", "bands"), ("--verdict", "verdict"),
        ("--sample", "sample"), ("--limit", "limit"), ("--first", "first"), ("--second", "second"),
        ("--false-positives", "false_positives"),
    ):  # fmt: skip
        value = getattr(request, field)
        if value != getattr(usual, field):
            words += [option, ",".join(map(str, value)) if isinstance(value, tuple) else str(value)]
    words += ["--with-judgements"] if request.judged else []
    # In one word: it may begin with a dash.
    words += [f"--find={request.find}"] if request.find is not None else []
    words += ["--as", "verl"] if request.form == "verl" else []
    words += ["--store", store] if store is not None else []
    return [*words, "--to", *(["datasets"] if request.what == "datasets" else []), path]


def written_in_words(made: Exported) -> Sequence[str]:
    """What was written, in lines."""
    size = f"{made.bytes:,} bytes" if made.bytes < 1_000_000 else f"{made.bytes / 1e6:,.1f} MB"
    return [f"{made.path}: {made.rows:,} {made.what}, {size}", *(f"  {visible_line(note)}" for note in made.notes)]
