"""What runs and solve sets are called on a screen."""

from __future__ import annotations

from collections.abc import Sequence

from backend.records import Run

ROLE_WORDS = {"base": "base", "rl": "RL", "sft": "SFT", "instruct": "instruct", "distill": "distilled"}
VERDICT_MARKS = {
    "correct": "✓",
    "wrong": "✗",
    "no_answer": "∅",
    "truncated": "…",
    "timeout": "⧖",
    "error": "!",
    "unverified": "?",
}
VERDICT_STYLES = {"correct": "bold green", "wrong": "red", "unverified": "dim"}


def run_label(run: Run) -> str:
    """A run's name without its benchmark, which the breadcrumbs show."""
    return run.name.removesuffix(f"@{run.benchmark}")


def short_names(runs: Sequence[Run]) -> tuple[str, ...]:
    """The shortest words that tell these runs apart: roles, else training steps, else names."""
    roles = [run.model.role for run in runs]
    if None not in roles and len(set(roles)) == len(roles):
        return tuple(ROLE_WORDS[role] for role in roles if role)
    steps = [run.model.step for run in runs]
    if len(set(steps)) == len(steps) and all(s is not None or r == "base" for s, r in zip(steps, roles, strict=True)):
        return tuple("base" if step is None else f"step {step}" for step in steps)
    return tuple(run_label(run) for run in runs)


def set_name(solved: Sequence[bool], words: Sequence[str]) -> str:
    """The name of a combination: base-only, only step 800, both, neither; for more runs who solves it."""
    who = [word for word, is_solved in zip(words, solved, strict=True) if is_solved]
    pair = len(words) == 2
    if not who:
        return "neither" if pair else "no run"
    if len(who) == len(words):
        return "both" if pair else "all runs"
    if len(who) == 1:
        return f"{who[0]}-only" if who[0] in ROLE_WORDS.values() else f"only {who[0]}"
    return " + ".join(who)


def squeezed(name: str, width: int) -> str:
    """A long name keeps its beginning and its end, where versions and steps stand."""
    if len(name) <= width:
        return name
    head = (width - 1) // 2
    return f"{name[:head]}…{name[len(name) - (width - 1 - head) :]}"


def pair_label(base: Run, rl: Run, width: int) -> str:
    """Two runs with an arrow between them; where room is short, what both begin with is said once."""
    first, second = run_label(base), run_label(rl)
    if len(first) + len(second) + 3 <= width:
        return f"{first} → {second}"
    shared = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), 0)
    if shared >= 4:
        second = f"…{second[shared:]}"
    room = max(width - 3 - len(second), (width - 3) // 2)
    first = squeezed(first, room)
    return f"{first} → {squeezed(second, max(width - 3 - len(first), 4))}"
