"""A person's verdict instead of the verifier's: with a reason, the old one beside, withdrawn like any decision."""

from __future__ import annotations

from backend.deciding import id_of, write_decisions
from backend.errors import UsageError
from backend.records import VERDICTS, Response
from backend.records.decisions import DecisionMade
from backend.store.decisions import Decision
from backend.store.reads import Reader

WORDS = ("correct", "wrong", *(verdict for verdict in VERDICTS if verdict not in ("correct", "wrong", "unverified")))
"""What a person may say of a sample."""


def override(reader: Reader, path: Response, verdict: str | None, reason: str | None) -> DecisionMade:
    """Let another verdict count for one sample; None withdraws what was said before.

    Raises:
        UsageError: not a verdict, no reason, or nothing to withdraw.
        StoreError: the store cannot be written.
    """
    if verdict is not None and verdict not in WORDS:
        raise UsageError(f"{verdict} is no verdict to override with", next_step=f"One of {', '.join(WORDS)}.")
    if verdict is not None and not (reason or "").strip():
        raise UsageError("A verdict is overridden with a reason", next_step="Say why: --reason TEXT.")
    if verdict is None and not path.sample.overridden:
        raise UsageError(f"The verdict of sample {path.sample.index} was not overridden")
    target = f"{path.run.name}, problem {path.problem_label}"
    row = Decision(
        "override",
        target=target,
        run_key=path.run.key,
        problem_key=reader.database.own_key(path.run.key, path.problem_key, path.sample.index),
        sample=path.sample.index,
        value=verdict,
    )
    written = write_decisions(reader.database, lambda _: [row], reason)
    what = "the override is withdrawn" if verdict is None else f"{path.sample.verdict} is overridden: {verdict} counts"
    return DecisionMade(id_of(written.part), f"{target}, sample {path.sample.index}: {what}")


def overridden(reader: Reader, run_keys: list[int]) -> int:
    """How many verdicts of some runs a person has overridden."""
    return int(reader.rows("reads/overridden", run_keys=run_keys)[0][0])
