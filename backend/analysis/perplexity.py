"""What came of scoring: perplexities of groups and of samples, and texts token by token.

PPL_m(Y|x) = exp(-1/T sum_t log P_m(y_t | x, y_<t)), natural logarithms, T tokens (Yue et al. 2025, sec. 4.1); the
end-of-text token is among them where the text ended by itself.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from math import exp, inf
from typing import Any

import numpy as np

from backend.analysis.comparison import restrict_runs
from backend.records import Run
from backend.records.reading import CHOICES, QUANTILES, Perplexities, PerplexityGroup, SamplePerplexities, TokenLogprobs
from backend.store.reads import Reader

BINS = 48
SPAN = (0.005, 0.995)
"""The quantiles of all perplexities between which the bins lie."""

Columns = dict[str, "np.ndarray[Any, Any]"]
Floats = np.ndarray[Any, np.dtype[np.float64]]


def perplexity(logprob_sum: float | None, tokens: int) -> float | None:
    """Perplexity of a text; None where it has no token or did not fit the model's context."""
    if logprob_sum is None or not tokens:
        return None
    mean = -logprob_sum / tokens
    return exp(mean) if mean < 700 else inf


def scorers_of(reader: Reader, benchmark: str, runs: Sequence[Run]) -> tuple[str, ...]:
    """Models of the runs first, in their order; then the other models under which something of theirs was scored."""
    rows = reader.rows("scores/scorers", run_keys=[run.key for run in runs], benchmark=benchmark)
    return tuple(dict.fromkeys([*(run.model.name for run in runs), *(row[0] for row in rows)]))


def perplexities(
    reader: Reader,
    benchmark: str,
    runs: Sequence[Run],
    *,
    problems: Collection[int] | None = None,
    choice: str = "all",
) -> Perplexities:
    """Perplexities of the runs' samples and of the reference responses under every model that scored any.

    Args:
        runs: for a pair, base first.
        choice: one of `CHOICES`.
    """
    assert choice in CHOICES
    scorers = scorers_of(reader, benchmark, runs)
    columns = reader.arrays(
        "scores/perplexities",
        run_keys=[*(run.key for run in runs), 0],
        benchmark=benchmark,
        scorers=list(scorers),
        problem_keys=None if problems is None else sorted(problems),
    )
    columns = _chosen({name: np.asarray(column) for name, column in columns.items()}, choice)
    values = columns["log_perplexity"]
    edges = _edges(values[np.isfinite(values)])
    there = {run.key: run.texts for run in restrict_runs(reader, runs, problems)} if choice == "all" else {}
    own = {scorer: [run.key for run in runs if run.model.name == scorer] for scorer in scorers}
    groups = tuple(
        _group(columns, values, edges, run, scorer, place, own[scorer], there.get(run.key) if run else None)
        for place, scorer in enumerate(scorers)
        for run in (*runs, None)
    )
    return Perplexities(benchmark, tuple(runs), scorers, choice, groups, tuple(np.exp(edges).tolist()))


def _chosen(columns: Columns, choice: str) -> Columns:
    """The rows that count; reference responses always do."""
    if choice == "all":
        return columns
    kept = (columns["run_key"] == 0) | (columns["right"] == (1 if choice == "right" else 0))
    return {name: column[kept] for name, column in columns.items()}


def _edges(values: Floats) -> Floats:
    if not len(values):
        return np.linspace(0.0, 1.0, BINS + 1)
    low, high = np.quantile(values, SPAN)
    return np.linspace(low, max(high, low + 1e-3), BINS + 1)


def _group(
    columns: Columns,
    values: Floats,
    edges: Floats,
    run: Run | None,
    scorer: str,
    place: int,
    own: Sequence[int],
    responses: int | None,
) -> PerplexityGroup:
    of_scorer = columns["scorer"] == place
    mine = of_scorer & (columns["run_key"] == (run.key if run else 0))
    found = values[mine]
    known = found[~np.isnan(found)]
    theirs = values[of_scorer & np.isin(columns["run_key"], np.array(own, dtype=np.uint64)) & ~np.isnan(values)]
    within = None
    if len(known) and len(theirs):
        within = float((known <= np.quantile(theirs, 0.95)).mean())
    # Beyond the ends means in the end.
    inside = np.clip(known, edges[0], edges[-1])
    return PerplexityGroup(
        run=run,
        scorer=scorer,
        n=len(known),
        responses=responses,
        problems=len(np.unique(columns["problem_key"][mine][~np.isnan(found)])),
        unfitting=int((~columns["fits"][mine]).sum()),
        exact=bool(columns["float32"][mine].all()),
        quantiles=tuple(np.exp(np.quantile(known, QUANTILES)).tolist()) if len(known) else None,
        histogram=tuple(np.histogram(inside, edges)[0].tolist()),
        within_own=within,
    )


def sample_perplexities(reader: Reader, run: Run, problem: int) -> SamplePerplexities:
    """Perplexities of the samples of one run and problem, under every model that scored any of them."""
    of: dict[str, dict[int, float]] = {}
    for scorer, sample, tokens, logprob_sum in reader.rows("scores/of_samples", run_key=run.key, problem_key=problem):
        value = perplexity(logprob_sum, tokens)
        if value is not None:
            of.setdefault(scorer, {})[sample] = value
    return SamplePerplexities(tuple(of), of)


def token_logprobs(reader: Reader, run: Run, problem: int, sample: int) -> tuple[TokenLogprobs, ...]:
    """One sample token by token, once for each model that scored its tokens and whose tokens can be placed in the text.

    Of several precisions float32 counts.
    """
    found: dict[str, TokenLogprobs] = {}
    for scorer, dtype, ends, logprobs, alternatives in reader.rows(
        "scores/of_tokens", run_key=run.key, problem_key=problem, sample=sample
    ):
        if ends is not None and scorer not in found:
            kept = None
            if alternatives is not None:
                kept = tuple(tuple((str(text), float(of)) for text, of in at) for at in json.loads(alternatives))
            found[scorer] = TokenLogprobs(scorer, dtype, tuple(ends), tuple(logprobs), kept)
    return tuple(found.values())
