"""Step "table": the tables of ``sample_data/README.md``, computed from the shipped files.

pass@k is the mean over problems of 1 - C(n-c, k) / C(n, k), in exact integers; a k larger than n is blank.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from math import comb
from pathlib import Path
from typing import Any

from sample_data.recipe import config, paths, problems, ship
from sample_data.recipe.choice import read as read_choice
from sample_data.recipe.sampling import BASE, DISTILL, rl_name

BEGIN, END = "<!-- table:begin -->", "<!-- table:end -->"
KS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
Counts = dict[str, list[int]]  # problem -> [samples, correct]


@cache
def _chance(n: int, c: int, k: int) -> Fraction:
    return 1 - Fraction(comb(n - c, k), comb(n, k))


def pass_at(counts: Counts, k: int) -> float | None:
    """pass@k in percent, or None where a problem has fewer than k samples."""
    if not counts or any(n < k for n, _ in counts.values()):
        return None
    return float(100 * sum(_chance(n, c, k) for n, c in counts.values()) / len(counts))


def _cells(counts: Counts, ks: Iterable[int] = KS) -> str:
    shown = (pass_at(counts, k) for k in ks)
    return " | ".join("" if value is None else f"{value:.1f}" for value in shown)


def _table(head: Iterable[str], rows: Iterable[str]) -> list[str]:
    names = list(head)
    return [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}", *(f"| {row} |" for row in rows), ""]


def _curves(runs: dict[str, Counts]) -> list[str]:
    return _table(
        ("run", "n", *(f"@{k}" for k in KS)),
        (f"{name} | {max(n for n, _ in runs[name].values())} | {_cells(runs[name])}" for name in runs),
    )


def solved(counts: Counts) -> set[str]:
    """Problems with at least one correct sample."""
    return {problem for problem, (_, c) in counts.items() if c}


def solve_sets(base: Counts, other: Counts) -> tuple[int, int, int, int]:
    """Sizes of both, base-only, other-only, neither."""
    one, two = solved(base), solved(other)
    return len(one & two), len(one - two), len(two - one), len(base) - len(one | two)


def crossing(base: Counts, rl: Counts) -> str:
    """Between which of the shown k the base curve overtakes the RL curve."""
    ahead = [(k, pass_at(base, k), pass_at(rl, k)) for k in KS]
    last = 0
    for k, first, second in ahead:
        if first is None or second is None:
            break
        if first >= second:
            return f"{last} and {k}" if last else "before 1"
        last = k
    return "not up to n"


def _seeds(known: dict[str, dict[str, Counts]], final: str) -> list[str]:
    lines = ["### The seeds", ""]
    rows: list[str] = []
    for seed, runs in known.items():
        for name in (BASE, final, DISTILL):
            if f"{name}@countdown" in runs:
                rows.append(f"{seed} | {name} | {_cells(runs[f'{name}@countdown'])}")
    lines += _table(("seed", "model", *(f"@{k}" for k in KS)), rows)
    rows = []
    for seed, runs in known.items():
        base = runs.get(f"{BASE}@countdown")
        for name in (final, DISTILL):
            other = runs.get(f"{name}@countdown")
            if base and other:
                sizes = " | ".join(map(str, solve_sets(base, other)))
                rows.append(f"{seed} | {name} | {crossing(base, other)} | {sizes}")
    head = (
        "seed",
        "against the base",
        "base overtakes between k =",
        "both",
        "base-only",
        "other-only",
        "neither",
    )
    return [*lines, *_table(head, rows)]


def _groups(runs: dict[str, Counts], final: str, known: list[problems.Problem]) -> list[str]:
    """Solved problems by kind of problem, for the three main runs."""
    groups: dict[str, list[str]] = {
        "usual": [p.id for p in known if p.kind == "usual"],
        "harder: five numbers": [p.id for p in known if p.kind == "five"],
        "harder: two rare steps": [p.id for p in known if p.kind == "rare"],
    }
    for plan in config.load().task.plans:
        groups[f"only {plan} solve it"] = [p.id for p in known if p.plans == (plan,)]
    groups["no plan solves it"] = [p.id for p in known if not p.plans]
    rows = []
    for title, ids in groups.items():
        cells = []
        for name in (BASE, final, DISTILL):
            part = {problem: runs[f"{name}@countdown"][problem] for problem in ids}
            cells.append(f"{pass_at(part, 1) or 0:.1f} | {len(solved(part))}" if part else " | ")
        rows.append(f"{title} | {len(ids)} | {' | '.join(cells)}")
    head = ["problems", "count"]
    for name in (BASE, final, DISTILL):
        head += [f"{name} @1", "solved"]
    return ["### By kind of problem (n = 256)", "", *_table(head, rows)]


def _texts(folder: Path, names: Iterable[str]) -> list[str]:
    """Verdicts, soundness and first plans of every run."""
    import pyarrow.parquet as pq

    kinds = ("correct", "wrong", "no_answer", "truncated")
    plans = config.load().task.plans
    verdicts, tried = [], []
    for name in names:
        rows = pq.read_table(folder / f"{name}.parquet", columns=["verdict", "tokens", "text"])
        judged, texts = rows["verdict"].to_pylist(), rows["text"].to_pylist()
        found = Counter(judged)
        mean = sum(rows["tokens"].to_pylist()) / len(rows)
        right = [text for text, verdict in zip(texts, judged, strict=True) if verdict == "correct"]
        reasoned = [text for text in right if paths.first_plan(text)]
        false = f"{100 * sum(not paths.sound(t) for t in reasoned) / len(reasoned):.1f}" if reasoned else ""
        counts = " | ".join(str(found[kind]) for kind in kinds)
        verdicts.append(f"{name} | {len(rows)} | {counts} | {mean:.1f} | {false}")
        first = Counter(map(paths.first_plan, texts))
        if first.keys() - {None}:
            tried.append(f"{name} | " + " | ".join(f"{100 * first[p] / len(rows):.1f}" for p in plans))
    head = ("run", "samples", *kinds, "mean tokens", "% of correct with a false step in the last try")
    lines = ["### Verdicts", "", *_table(head, verdicts)]
    return [*lines, "### First plan of a path, % of samples", "", *_table(("run", *plans), tried)]


def _choice(path: Path) -> list[str]:
    picked = read_choice(path)
    rates = (f"{rate} | {100 * score:.1f}" for rate, score in picked.rates.items())
    steps = (f"{name} | {100 * score:.1f}" for name, score in picked.steps.items())
    chosen = f"Chosen: learning rate {picked.learning_rate:g}, step {picked.step}."
    trial = config.load().rl.trial_steps
    return [
        "### The choice, on the development problems (pass@1)",
        "",
        *_table((f"learning rate, after {trial} steps", "@1"), rates),
        *_table(("model", "@1"), steps),
        chosen,
        "",
    ]


def render(data: Path = ship.SAMPLE_DATA) -> str:
    """All tables as Markdown."""
    folder = data / "samples"
    runs = {file.stem: ship.count_correct(file) for file in folder.glob("*.parquet")}
    picked = read_choice(data / "choice.json")
    final = rl_name(picked.step)
    main = [f"{name}@countdown" for name in (BASE, final, DISTILL)]
    checkpoints = sorted(
        (
            name
            for name in runs
            if name.startswith("countdown-rl-") and name.endswith("@countdown") and name not in main
        ),
        key=lambda name: int(name.split("@")[0].rsplit("-", 1)[1]),
    )
    order = [*main, *checkpoints, *sorted(set(runs) - set(main) - set(checkpoints))]
    known: dict[str, Any] = json.loads((data / ship.SEEDS).read_text(encoding="utf-8"))
    lines = ["### Every run of the shipped seed: pass@k in percent, 200 problems", ""]
    lines += _curves({name: runs[name] for name in order})
    lines += _seeds(known, final)
    lines += _groups(runs, final, problems.read(data / "problems.jsonl"))
    lines += _texts(folder, order)
    lines += _choice(data / "choice.json")
    return "\n".join(lines).rstrip() + "\n"


def between(text: str) -> str:
    """What stands between the markers of a README; raises ValueError without them."""
    start, end = text.find(BEGIN), text.find(END)
    if start < 0 or end < start:
        raise ValueError(f"no {BEGIN} ... {END}")
    return text[start + len(BEGIN) : end].strip("\n") + "\n"


def write_readme(data: Path = ship.SAMPLE_DATA) -> None:
    """Puts the tables between the markers of sample_data/README.md."""
    path = data / "README.md"
    text = path.read_text(encoding="utf-8")
    between(text)
    start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    path.write_text(f"{text[:start]}\n{render(data)}{text[end:]}", encoding="utf-8")
