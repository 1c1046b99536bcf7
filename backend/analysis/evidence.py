"""What the counts of a pair are evidence of, problem by problem and for the pair."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backend.analysis.comparison import tallies_of
from backend.estimators.evidence import LEVEL, discordance, fisher_greater, holm, rate_bounds
from backend.records import Run, SolveSets
from backend.records.comparison import ProblemEvidence, SetEvidence
from backend.store.reads import Reader
from backend.wording import PAIR_SETS


def problem_evidence(reader: Reader, base: Run, rl: Run) -> Mapping[int, ProblemEvidence]:
    """By key of the problem, whether the difference of two runs is more than luck.

    Tested are all problems that both runs have with a verdict, whatever is looked at: who chooses problems by their
    outcome and tests only those finds too much.
    """
    tallies = tallies_of(reader, [base, rl])
    (base_keys, base_n, base_c), (rl_keys, rl_n, rl_c) = tallies[base.key], tallies[rl.key]
    keys, in_base, in_rl = np.intersect1d(base_keys, rl_keys, assume_unique=True, return_indices=True)
    both = (base_n[in_base] > 0) & (rl_n[in_rl] > 0)
    keys, in_base, in_rl = keys[both], in_base[both], in_rl[both]
    of_base, of_rl = (base_n[in_base], base_c[in_base]), (rl_n[in_rl], rl_c[in_rl])
    columns = []
    for greater in (fisher_greater(of_rl, of_base), fisher_greater(of_base, of_rl)):
        columns += [greater, holm(greater)]
    bounds = [*rate_bounds(*of_base), *rate_bounds(*of_rl)]
    return {
        key: ProblemEvidence(
            "rl" if rl_holm < LEVEL else "base" if base_holm < LEVEL else None,
            (base_p, rl_p), (base_holm, rl_holm), ((base_low, base_high), (rl_low, rl_high)),
        )
        for key, base_p, base_holm, rl_p, rl_holm, base_low, base_high, rl_low, rl_high in zip(
            keys.tolist(), *(column.tolist() for column in (*columns, *bounds)), strict=True
        )
    }  # fmt: skip


def set_evidence(reader: Reader, sets: SolveSets) -> SetEvidence | None:
    """What the counts of a pair are evidence of; None for other numbers of runs."""
    if len(sets.runs) != 2:
        return None
    found = problem_evidence(reader, *sets.runs)
    beyond = {
        PAIR_SETS[entry]: sum(found[problem.key].ahead == ahead for problem in sets.problems if problem.solved == entry)
        for entry, ahead in (((True, False), "base"), ((False, True), "rl"))
    }
    even = len({size for size in sets.n_ranges if size}) <= 1 and sets.expected_at_common_n is None
    alone = sets.counts[True, False], sets.counts[False, True]
    return SetEvidence(
        problems=found,
        tested=len(found),
        beyond=beyond,
        # Problems chosen by their outcome would be a split that was chosen.
        discordance=discordance(*alone) if even and any(alone) and len(sets.problems) == len(found) else None,
        even=even,
    )
