"""Records in words."""

from __future__ import annotations

from textual.content import Content

from backend.records import PairSummary, Run, SolveSets
from backend.wording import (
    PAIR_SETS,
    ROLE_WORDS,
    copies_in_words,
    count,
    nothing_in_common,
    percent,
    run_label,
    sampled_otherwise,
    set_name,
    short_names,
    span,
    with_noun,
)
from explorer.render.curves import ONLY_ONE, crossings_in_words, leads_in_words
from explorer.render.text import join_lines, literal


def model_in_words(run: Run) -> str:
    """Role, origin and step of a run's model, as far as known."""
    model = run.model
    words = [ROLE_WORDS.get(model.role or "", "role unknown")]
    if model.algorithm:
        words.append(model.algorithm)
    if model.step is not None:
        words.append(f"step {model.step:,}")
    if model.from_model:
        words.append(f"from {model.from_model}")
    return ", ".join(words)


def parameters_in_words(run: Run) -> str:
    """The sampling parameters, or that they are unknown."""
    shown = [f"{name} {value}" for name, value in run.parameters.items() if len(str(value)) < 80]
    return ", ".join(shown) if shown else "sampling parameters unknown"


def run_in_words(run: Run) -> Content:
    """One run: what it is and what it holds."""
    paths = "published counts, no paths stored" if not run.texts else f"{count(run.texts)} paths"
    return join_lines(
        [
            literal(run.name, "bold"),
            f"{model_in_words(run)}; {parameters_in_words(run)}",
            f"{with_noun(run.problems, 'problem')}, {with_noun(run.samples, 'sample')} ({paths}), "
            f"n = {span(run.n_min, run.n_max)}, {count(run.correct)} correct, {count(run.solvable)} solvable",
            *filter(None, [copies_in_words(run)]),
            *unverified_in_words(run),
        ]
    )


def unverified_in_words(run: Run) -> list[str]:
    """What cannot be known of a run; empty when everything has a verdict."""
    if not run.unverified:
        return []
    return [f"{with_noun(run.unverified, 'sample')} of {run_label(run)} unverified: not counted in n or c"]


def pair_in_words(pair: PairSummary, pairs: int = 1) -> Content:
    """A pair: both runs, the curves' ends and crossing, the four sets; and of how many pairs of the benchmark it is."""
    base, rl = pair.base, pair.rl
    words = short_names((base, rl))
    result: list[str | Content] = [literal(f"{run_label(base)} → {run_label(rl)} on {pair.benchmark}", "bold")]
    for word, run in zip(words, (base, rl), strict=True):
        paths = "no paths stored" if not run.texts else f"{count(run.texts)} paths"
        result.append(
            f"{word}: {run.name} ({model_in_words(run)}), n = {span(run.n_min, run.n_max)}, "
            f"{with_noun(run.samples, 'sample')}, {paths}"
        )
    if pair.common_n is None:
        result.append(nothing_in_common(base, rl, pair.shared_names))
    else:
        cross = crossings_in_words(pair.leads) if pair.crossing else f"no crossing up to {pair.common_n}"
        if pair.common_n == 1:
            cross = ONLY_ONE
        elif len(pair.leads) > 2:
            cross += f": {leads_in_words(pair.leads, words)}"
        result.append(
            f"pass@1 {percent(pair.base_pass_at_1)} → {percent(pair.rl_pass_at_1)} %, pass@{pair.common_n} "
            f"{percent(pair.base_pass_at_n)} → {percent(pair.rl_pass_at_n)} %; {cross}"
        )
    names = [
        f"{set_name(solved, words)} {pair.counts[key]:,}"
        for key, solved in (
            ("both", (True, True)),
            ("base_only", (True, False)),
            ("rl_only", (False, True)),
            ("neither", (False, False)),
        )
    ]
    result += [f"{run_label(run)}: {said}" for run in (base, rl) if (said := copies_in_words(run))]
    if otherwise := sampled_otherwise((base, rl)):
        result.append(otherwise)
    missing = f"; {pair.not_compared:,} not compared" if pair.not_compared else ""
    result.append(f"{', '.join(names)} of {sum(pair.counts.values()):,} problems{missing}")
    if pair.at_common_n is not None:
        expected = ", ".join(
            f"{set_name(solved, words)} {pair.at_common_n[name]:.1f}" for solved, name in PAIR_SETS.items()
        )
        result[-1] = (
            f"n differs; at {pair.smallest_n:,} samples each, expected: {expected} of {sum(pair.counts.values()):,} "
            f"problems{missing} (as drawn: {', '.join(names)})"
        )
    if pairs > 1:
        result.append(f"1 of {pairs:,} pairs on this benchmark; Bonferroni over them: p < {0.05 / pairs:.2g}")
    return join_lines([*result, *unverified_in_words(base), *unverified_in_words(rl)])


def empty_store(path: str) -> str:
    """What to do in an empty store."""
    return (
        "This store is empty. Import result files from another terminal, and they appear here:\n\n"
        f"    passk import FILE_OR_FOLDER --store {path} --model NAME --role base --benchmark NAME"
    )


def nothing_yet(path: str, store: str) -> str:
    """What to expect where a path is followed of which nothing has come."""
    return (
        f"Nothing has come from {path} yet. Result files and rows appear here as they are written.\n\n"
        "Files from elsewhere can be added from another terminal:\n\n"
        f"    passk import FILE_OR_FOLDER --store {store} --model NAME --role base --benchmark NAME"
    )


def sets_in_words(sets: SolveSets) -> str:
    """The runs of a comparison with their n, the threshold, and what is not compared."""
    words = short_names(sets.runs)
    sizes = [f"{word} n = {span(*size) if size else '–'}" for word, size in zip(words, sets.n_ranges, strict=True)]
    text = f"{', '.join(sizes)}; solved = at least {sets.min_correct} correct"
    if otherwise := sampled_otherwise(sets.runs):
        text += f"\n{otherwise}"
    if sets.expected_at_common_n is not None:
        expected = ", ".join(
            f"{set_name(solved, words)} {number:.1f}" for solved, number in sets.expected_at_common_n.items()
        )
        text += f"\nn differs; expected at {sets.common_n} samples each: {expected}"
    if not sets.problems and len(sets.runs) == 2 and all(sets.not_compared.missing):
        text += f"\n{nothing_in_common(*sets.runs, sets.shared_names)}"
    elif sets.not_compared.total:
        text += (
            f"\n{with_noun(sets.not_compared.total, 'problem')} not compared: not in every run, or without a verdict"
        )
    return text
