"""maj@k: how often the answer that most of k samples give is right (self-consistency, Wang et al. 2022, 2203.11171)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.metrics.pass_at_k import Counts, Floats

DRAWS = 100
"""Random subsets of the samples of each problem, where maj@k is not exact."""


def majority_score(votes: Counts, correct: Counts) -> float:
    """Expected correctness of the answer with the most votes; among answers with equally many, each is as likely.

    Args:
        votes: samples that gave each answer, shape (answers,).
        correct: how many of them are correct, same shape. All or none, unless a verifier judged the same words
            differently; then the answer is right with that share.

    Returns:
        Between 0 and 1; 0 where nobody gave an answer.
    """
    if not len(votes):
        return 0.0
    first = votes == votes.max()
    return float((correct[first] / votes[first]).mean())


def majority_at_k(
    votes: Counts, correct: Counts, n: int, ks: Sequence[int], seed: Sequence[int], draws: int = DRAWS
) -> tuple[Floats, Floats]:
    """maj@k of one problem: the majority among k of its n samples drawn without replacement.

    Exact for k = 1 and k = n. Between, the mean over `draws` random orders of the samples, of which each k takes the
    beginning, so that the same seed gives the same numbers.

    Args:
        votes, correct: see `majority_score`; sum(votes) <= n, and the other samples gave no answer.
        n: samples.
        ks: increasing, each in 1..n.
        seed: of the random orders.

    Returns:
        The values and the squared standard errors of those from random subsets, NaN where a value is exact; both of
        shape (ks,).
    """
    values, errors = np.zeros(len(ks)), np.full(len(ks), np.nan)
    random = _random_scores(votes, correct, n, [k for k in ks if 1 < k < n], seed, draws)
    for i, k in enumerate(ks):
        if k == 1:
            values[i] = correct.sum() / n
        elif k == n or not len(votes) or votes[0] == n:
            values[i] = majority_score(votes, correct)
        else:
            scores = random[k]
            values[i], errors[i] = scores.mean(), scores.var(ddof=1) / draws
    return values, errors


def _random_scores(
    votes: Counts, correct: Counts, n: int, ks: Sequence[int], seed: Sequence[int], draws: int
) -> dict[int, Floats]:
    """For every k the score of the majority in each random subset, shape (draws,)."""
    if not ks or not len(votes) or votes[0] == n:
        return {}
    answers = len(votes)
    # One more than there are answers: the last label is a sample without one, whose votes are not looked at.
    labels = np.repeat(np.arange(answers + 1), [*votes, n - votes.sum()])
    orders = np.random.default_rng(seed).permuted(np.tile(labels, (draws, 1)), axis=1)
    orders += np.arange(draws)[:, None] * (answers + 1)
    counted = np.zeros((draws, answers + 1), dtype=np.int64)
    shares, taken, scores = correct / votes, 0, {}
    for k in ks:
        counted += np.bincount(orders[:, taken:k].ravel(), minlength=counted.size).reshape(counted.shape)
        taken = k
        given = counted[:, :answers]
        top = given.max(axis=1, keepdims=True)
        first = (given == top) & (top > 0)
        scores[k] = (first * shares).sum(axis=1) / np.maximum(first.sum(axis=1), 1)
    return scores
