"""What a person asks for, turned into plans: a new run of a model, or more samples of a run that exists."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.configuration import Configuration, model_path
from backend.errors import UsageError
from backend.importers.targets import RunOptions
from backend.jobs.claims import claimed
from backend.jobs.plan import DEFAULTS, EngineChoice, SamplingPlan, plan_run
from backend.jobs.templates import template_hash, template_names
from backend.records import Run
from backend.store.reads import Reader

NEEDED = ("template", *DEFAULTS)
"""Parameters without which nobody can prove that new samples are drawn as the stored ones were."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Sampling parameters and template that a person wants otherwise than the run has them; empty for none."""

    parameters: Mapping[str, Any]
    """Under vLLM's names."""
    template: str | None = None
    """Text of a prompt template."""
    template_name: str = ""
    """As the person named it."""


NO_CHANGES = Changes({})


@dataclass(frozen=True, slots=True)
class Addition:
    """More samples of some problems of a run."""

    plan: SamplingPlan
    engine: EngineChoice
    asked: str
    """The run that was to be added to."""
    because: str
    """Why the samples form a run of their own, in one sentence; empty where they join the run that was asked for."""
    can_pool: bool
    """Whether they do so only because nobody knows the prompt or parameters of the run, which is the user's to say."""
    mean_tokens: float | None
    """Of the run's stored samples; for an estimate."""

    @property
    def tokens(self) -> float | None:
        """Tokens that this will take, by the run's mean length; None when that is unknown."""
        return None if self.mean_tokens is None else self.plan.samples * self.mean_tokens


def plan_new_run(
    reader: Reader,
    *,
    benchmark: str,
    n: int,
    model: str,
    run_options: RunOptions,
    parameters: Mapping[str, Any],
    configuration: Configuration,
    engine: str | None = None,
    template: str | None = None,
    problems: Collection[str] | None = None,
) -> tuple[SamplingPlan, EngineChoice]:
    """Plan n samples of each problem of a benchmark from a model; what is there or claimed by a job is left out.

    Raises:
        UsageError: as `plan_run`.
    """
    kind, options = configuration.engine_options(engine or configuration.engine)
    run = run_options.run or f"{run_options.model}@{benchmark}"
    # Before the samples are read: a job that has just finished has stored them all.
    promised = claimed(reader.database.layout, run)
    plan = plan_run(
        reader,
        benchmark=benchmark,
        n=n,
        run_options=run_options,
        parameters={**parameters, "model_path": model},
        template=template,
        problems=problems,
        claimed=promised,
    )
    return plan, EngineChoice(kind, model, options)


def plan_addition(
    reader: Reader,
    run: Run,
    problems: Collection[str],
    add: int | Mapping[str, int],
    *,
    configuration: Configuration,
    engine: str | None = None,
    model: str | None = None,
    pool: bool = False,
    changes: Changes = NO_CHANGES,
) -> Addition:
    """Plan `add` more samples of these problems (each, or by label) for a run that exists, as its own were drawn.

    With other parameters, or another template, the samples form a run of their own, `NAME+temperature=1.0`: the next
    ones of that kind join it. So they do, as `NAME+resampled`, where prompt or parameters of the run are not known (it
    was imported), unless `pool` says that they are the same: nothing that may differ is pooled silently.

    Raises:
        UsageError: nobody knows where the model lies, or nothing can be asked.
    """
    path = model or model_path(run.model.name, run.parameters, configuration)
    if path is None:
        raise UsageError(
            f"Where is the model {run.model.name}?",
            "The run was imported, and its files do not say where the model lies.",
            f"Say so once and for all in {configuration.path}:\n[models]\n"
            f'"{run.model.name}" = "/path/to/folder"\n(passk sample also takes --model PATH.)',
        )
    kind, options = configuration.engine_options(engine or configuration.engine)
    if kind != "server" and Path(path).is_absolute() and not Path(path).is_dir():
        raise UsageError(
            f"The model folder {path} does not exist",
            next_step=f"Say where {run.model.name} lies with --model PATH, or in {configuration.path} under [models].",
        )
    name, because, can_pool = _where_to(run, changes, pool=pool)
    promised = claimed(reader.database.layout, name)
    kept = {key: value for key, value in run.parameters.items() if key not in ("template", "template_hash")}
    stored = run.parameters.get("template")
    plan = plan_run(
        reader,
        benchmark=run.benchmark,
        add=add,
        run_options=RunOptions(run=name, model=run.model.name, role=run.model.role),
        parameters={**kept, **changes.parameters},
        template=changes.template or (str(stored) if stored is not None else None),
        problems=problems,
        claimed=promised,
    )
    return Addition(plan, EngineChoice(kind, path, options), run.name, because, can_pool, run.mean_tokens)


def _where_to(run: Run, changes: Changes, *, pool: bool) -> tuple[str, str, bool]:
    """The run that the samples go to, why it is another than this one, and whether pooling is the user's to say."""
    stored = run.parameters
    changed = {name: value for name, value in changes.parameters.items() if name in stored and stored[name] != value}
    words = [f"{name} {stored[name]} becomes {value}" for name, value in changed.items()]
    suffix = [f"{name}={value}" for name, value in changed.items()]
    if changes.template is not None and stored.get("template", changes.template) != changes.template:
        named = changes.template_name if changes.template_name in template_names() else template_hash(changes.template)
        words.append("the prompt template becomes another")
        suffix.append(f"template={named}")
    if words:
        because = f"A run is one sampling configuration, and {', '.join(words)}."
        return "+".join((run.name, *suffix)), because, False
    given = {*stored, *changes.parameters, *(["template"] if changes.template is not None else [])}
    unknown = [name for name in NEEDED if name not in given]
    if unknown and not pool:
        what = ", ".join(name.replace("_", " ") for name in unknown)
        return f"{run.name}+resampled", f"{run.name} was imported, and its {what} is not known.", True
    return run.name, "", bool(unknown)
