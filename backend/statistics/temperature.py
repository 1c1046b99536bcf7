"""Temperature sweeps, and the run whose entropy matches the base run's (figures 16 and 17 of the paper)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from backend.records import Run
from backend.records.statistics import Entropy, Level, Sweep, Warmth
from backend.statistics.levels import common_k, levels
from backend.store.reads import Reader


def temperature_sweep(
    reader: Reader,
    base: Run,
    runs: Sequence[Run],
    *,
    k: int | None = None,
    problems: Collection[int] | None = None,
) -> Sweep:
    """Runs by model and temperature with pass@1, pass@k and entropy.

    The entropy is estimated as the mean negative log-probability per token of a run's own samples: minus the sum of all
    stored `logprob_sum` over the sum of their tokens. It is the entropy that was sampled from only if log-probabilities
    were stored after temperature and top-p; many engines store those of the model before both.

    Args:
        base: whose entropy is to be matched.
        runs: those of one benchmark.
        k: 256 when omitted, or the largest k at which all are defined if that is less.
        problems: keys of the only problems that count; None for all.
    """
    k = k if k is not None else common_k(reader, runs, problems)
    entropies = _entropies(reader, [base, *runs], problems)
    points = sorted(
        (Warmth(level, _temperature(level.run.parameters), entropies.get(level.run.key))
         for level in levels(reader, runs, k, problems)),
        key=_order,
    )  # fmt: skip
    wanted = entropies.get(base.key)
    candidates = [
        (abs(point.entropy.value - wanted.value), index, point)
        for index, point in enumerate(points)
        if wanted is not None and point.entropy is not None and point.level.run.model.role == "rl"
    ]
    return Sweep(base, k, tuple(points), min(candidates)[2] if candidates else None)


def _order(point: Warmth) -> tuple[bool, int, str, float]:
    """Base models first, then by training step; the temperatures of one model together."""
    level: Level = point.level
    model = level.run.model
    return model.role != "base", model.step or 0, model.name, -1.0 if point.temperature is None else point.temperature


def _temperature(parameters: Mapping[str, Any]) -> float | None:
    value = parameters.get("temperature")
    return float(value) if isinstance(value, int | float) else None


def _entropies(reader: Reader, runs: Sequence[Run], problems: Collection[int] | None) -> dict[int, Entropy]:
    rows = reader.rows(
        "statistics/entropies",
        run_keys=list({run.key for run in runs}),
        problem_keys=None if problems is None else sorted(problems),
    )
    # 0.0 and not -0.0 where every token was certain.
    return {key: Entropy(max(-total / tokens, 0.0), samples, tokens) for key, samples, tokens, total in rows}
