"""What is to be drawn: a run, and for each problem its prompt and the sample indices that are missing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, ClassVar

from backend.errors import UsageError
from backend.importers.protocol import RunFacts
from backend.importers.run_spec import RunOptions, RunResolver, RunSpec
from backend.jobs.job import Job, claiming
from backend.jobs.templates import PLAIN, render_prompt, template_of_prompts, template_parameters
from backend.jobs.work import EngineChoice, Progress, WorkState
from backend.store.database import open_store
from backend.store.identity import run_key
from backend.store.layout import StoreLayout
from backend.store.reads import Reader
from backend.verifiers.registry import Known, fitting_verifier, verifier_for

DEFAULTS = {"temperature": 0.6, "top_p": 0.95, "max_tokens": 16_384}
"""The paper's sampling parameters."""


@dataclass(frozen=True, slots=True)
class PlannedProblem:
    """One problem with what an engine and a verifier need of it."""

    key: int
    label: str
    statement: str
    reference: str | None
    prompt: str
    indices: tuple[int, ...]
    """Sample indices to draw."""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SamplingPlan:
    """Everything that is to be drawn into one run."""

    kind: ClassVar[str] = "samples"

    target: RunSpec
    problems: tuple[PlannedProblem, ...]
    """Only those with samples to draw."""
    verifier: str | None = None
    """Name of the verifier; None for the one that fits, if one does."""

    @property
    def title(self) -> str:
        """What it was called when it was made."""
        return self.called(str)

    def called(self, name_of: Callable[[str], str]) -> str:
        return name_of(self.target.run)

    @property
    def known(self) -> tuple[Known, ...]:
        """What tells which verifier fits: reference answer and metadata of each problem."""
        return tuple((problem.reference, problem.metadata) for problem in self.problems)

    @property
    def samples(self) -> int:
        """How many samples are to be drawn."""
        return sum(len(problem.indices) for problem in self.problems)

    def stored(self, layout: StoreLayout) -> Counter[str]:
        """How many of its samples the store has, by verdict."""
        return Counter(verdict for problem in self._drawn(layout).values() for verdict in problem.values())

    def left(self, layout: StoreLayout, job: str) -> SamplingPlan:
        """See `Plan.left`."""
        # Claims first: those of a job that finishes in between are in the store then.
        left = remaining_plan(self, claimed_indices(layout, self.target.run, but=job))
        return remaining_plan(left, self._drawn(layout))

    def carry_out(
        self, layout: StoreLayout, left: SamplingPlan, engine: EngineChoice, progress: Progress, job: str
    ) -> WorkState:
        """Draw and verify what is left; raises like `draw`."""
        from backend.jobs.draw import draw

        if engine.options.get("chat"):
            raise UsageError(
                "Samples are not drawn as chat messages",
                "The server would put its own template around a prompt, and the run would be said to have another.",
                "The option chat is for judges. Draw with --template chat, which writes the model's template out.",
            )
        # For the whole plan: what is left of it may look like something else.
        verifier = verifier_for(self, self.verifier)
        with engine.loaded() as loaded:
            return draw(layout, left, loaded, verifier, progress, job=job)

    def finish(self, layout: StoreLayout, job: str) -> None:
        """See `Plan.finish`."""
        from backend.jobs.draw import DrawTarget, compact_draw

        compact_draw(DrawTarget(layout, self, "", job))

    def _drawn(self, layout: StoreLayout) -> dict[int, dict[int, str]]:
        """Verdicts of its samples that stand in the store, by problem key and index."""
        wanted = {problem.key: set(problem.indices) for problem in self.problems}
        found: dict[int, dict[int, str]] = {}
        with closing(open_store(layout, merging=False, matching=False)) as database, Reader(database) as reader:
            for key, verdict, indices in reader.rows("reads/sample_verdicts", run_key=run_key(self.target.run)):
                here = wanted.get(key, set()).intersection(indices)
                found.setdefault(key, {}).update((index, verdict) for index in here)
        return found


def claimed_indices(layout: StoreLayout, run: str, but: str = "") -> Mapping[int, set[int]]:
    """The indices of a run that jobs have claimed, by problem key, those of the job `but` left out.

    Read them before the samples: those of a job that has just finished are in the store already.
    """
    found: dict[int, set[int]] = {}
    for job, plan in claiming_jobs(layout, run):
        if job.name != but:
            for problem in plan.problems:
                found.setdefault(problem.key, set()).update(problem.indices)
    return found


def claiming_jobs(layout: StoreLayout, run: str) -> Iterator[tuple[Job, SamplingPlan]]:
    """The jobs that have claimed indices of a run, with their plans, the newest first."""
    for job, plan in claiming(layout, SamplingPlan):
        if plan.target.run == run:
            yield job, plan


def plan_run(
    reader: Reader,
    *,
    benchmark: str,
    n: int = 0,
    add: int | Mapping[str, int] = 0,
    run_options: RunOptions,
    parameters: Mapping[str, Any],
    template: str | None = None,
    like: str | None = None,
    problems: Collection[str] | None = None,
    claimed: Mapping[int, Collection[int]] = MappingProxyType({}),
) -> SamplingPlan:
    """Plan a run of n samples of each problem; what the run has already is not drawn again.

    Args:
        reader: of the store that the samples go to.
        benchmark: whose problems are asked.
        n: indices 0 to n - 1 of each problem are wanted.
        add: so many indices after the highest of the run are wanted, of each problem or by label.
        run_options: names and facts of run and model.
        parameters: sampling parameters under vLLM's names, as far as the user gave them. A run that exists keeps its
            own; a new one takes `DEFAULTS` for the rest.
        template: prompt template; that of the benchmark's other runs when omitted, if they all used one.
        like: the run whose prompts are given again, where no template is known; this run itself when omitted.
        problems: labels of the problems to ask; all when omitted.
        claimed: indices that other jobs will draw, by problem key; they are not planned again.

    Raises:
        UsageError: the run exists with other parameters, or nothing can be asked.
    """
    name = run_options.run or f"{run_options.model}@{benchmark}"
    stored = next((run.parameters for run in reader.runs(benchmark) if name in (run.name, run.stored_name)), {})
    rows = reader.rows("reads/problems_to_sample", benchmark=benchmark)
    prompts = given_prompts(reader, like or name) if template is None and "template" not in stored else {}
    # Of matched problems each run is asked its own words again.
    own = {**_own_keys(reader, like), **_own_keys(reader, name)}
    asked_with = {row[0]: row[2] for row in rows} | own_statements(reader, own)
    made = template_of_prompts((asked_with[row[0]], prompts[row[0]]) for row in rows if row[0] in prompts)
    text = (
        template if template is not None else str(stored.get("template") or made or _usual_template(reader, benchmark))
    )
    full = {**DEFAULTS, **stored, **parameters, **template_parameters(text)}
    facts = RunFacts(benchmark=benchmark, parameters=tuple(sorted(full.items())))
    database = reader.database
    resolver = RunResolver(run_options, database.known_manifests.values(), database.decided)
    target = resolver.resolve(facts, "What is to be drawn")
    if reader.rows("reads/hidden_samples", run_key=run_key(target.run))[0][0]:
        raise UsageError(
            f"Samples of {resolver.name_of(target.run)} were taken back",
            "A sample's seed follows from run, problem and index: the same ones would be drawn again.",
            "Bring them back with passk redo (passk imports --decisions lists what was decided), or give the new run "
            "another name: --run NAME.",
        )
    if not rows:
        raise UsageError(
            f"{benchmark} has no problem with a statement",
            "Published counts hold no statements, so there is nothing to ask a model.",
            "Import a result file or a table with the statements into this benchmark first.",
        )
    labels = {row[1] for row in rows}
    asked = labels if problems is None else set(problems)
    if unknown := asked - labels:
        raise UsageError(f"{benchmark} has no problem {', '.join(sorted(unknown))} with a statement")
    have: dict[int, list[int]] = dict(reader.rows("reads/sample_indices", run_key=run_key(target.run)))

    def adds(label: str) -> int:
        return add if isinstance(add, int) else add.get(label, 0)

    planned = [
        PlannedProblem(
            key=own_keys[0],
            label=label,
            statement=asked_with[key],
            reference=reference,
            prompt=prompts.get(key) or render_prompt(text, asked_with[key]),
            indices=_wanted({*have.get(key, ()), *promised}, n, adds(label)),
            metadata=json.loads(metadata) if metadata else {},
        )
        for key, label, _, reference, metadata in rows
        if label in asked
        for own_keys in [own.get(key, (key,))]
        for promised in [{index for each in {key, *own_keys} for index in claimed.get(each, ())}]
    ]
    chosen = reader.rows("reads/benchmark", benchmark=benchmark)
    plan = SamplingPlan(target, tuple(problem for problem in planned if problem.indices))
    # Chosen here, where somebody reads it, and not by what happens to be installed where it is drawn; for all problems
    # of the benchmark, since those that are left may look like something else.
    every = ((reference, json.loads(metadata) if metadata else {}) for _, _, _, reference, metadata in rows)
    fitting = None if chosen and chosen[0][0] else fitting_verifier(every)
    return replace(plan, verifier=fitting.name if fitting else chosen[0][0] if chosen else None)


def _own_keys(reader: Reader, run: str | None) -> Mapping[int, tuple[int, ...]]:
    return reader.database.own_keys(run_key(reader.stored_name(run))) if run is not None else {}


def own_statements(reader: Reader, own: Mapping[int, Sequence[int]]) -> dict[int, str]:
    """The statements of a run's own problems, by the key that they are read under since they were matched.

    Args:
        own: see `Database.own_keys`.
    """
    if not own:
        return {}
    rows = reader.rows("matching/own_problems", keys=[keys[0] for keys in own.values()])
    said: dict[int, str] = {key: statement for key, _, statement in rows if statement is not None}
    return {key: said[keys[0]] for key, keys in own.items() if keys[0] in said}


def given_prompts(reader: Reader, run: str) -> dict[int, str]:
    """The prompts that a run was given, by problem key, where its files have them as texts."""
    found: dict[int, str] = dict(reader.rows("reads/prompts", run_key=run_key(run)))
    return {key: prompt for key, prompt in found.items() if not prompt.startswith("[{")}


def _wanted(have: set[int], n: int, add: int) -> tuple[int, ...]:
    """The indices below n that are missing, and `add` after the highest."""
    after = max(max(have, default=-1) + 1, n)
    return (*(index for index in range(n) if index not in have), *range(after, after + add))


def _usual_template(reader: Reader, benchmark: str) -> str:
    """The template that most runs of the benchmark were asked with: comparisons need the same prompt."""
    used = [str(run.parameters["template"]) for run in reader.runs(benchmark) if "template" in run.parameters]
    return max(sorted(set(used)), key=used.count, default=PLAIN)


def remaining_plan(plan: SamplingPlan, done: Mapping[int, Iterable[int]]) -> SamplingPlan:
    """What is left of a plan.

    Args:
        plan: the whole.
        done: sample indices that are not to be drawn, by problem key.
    """
    left = [
        replace(problem, indices=tuple(sorted(set(problem.indices).difference(done.get(problem.key, ())))))
        for problem in plan.problems
    ]
    return replace(plan, problems=tuple(problem for problem in left if problem.indices))
