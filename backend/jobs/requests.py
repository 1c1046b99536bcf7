"""What a person asks for, turned into plans: a new run of a model, or more samples of a run that exists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.configuration import Configuration, model_path
from backend.errors import UsageError
from backend.importers.targets import RunOptions
from backend.jobs.plan import EngineChoice, SamplingPlan, plan_run
from backend.records import Run
from backend.store.reads import Reader

NEEDED = ("template", "temperature", "top_p", "max_tokens")
"""Parameters without which nobody can prove that new samples are drawn as the stored ones were."""


@dataclass(frozen=True, slots=True)
class Addition:
    """More samples of some problems of a run."""

    plan: SamplingPlan
    engine: EngineChoice
    own_run: bool
    """Whether the samples go to a run of their own, since the stored run's prompt or parameters are not known."""
    mean_tokens: float | None
    """Of the run's stored samples; for an estimate."""

    @property
    def tokens(self) -> float | None:
        """Tokens that this will take, by the run's mean length; None when that is unknown."""
        return None if self.mean_tokens is None else self.plan.samples * self.mean_tokens


def plan_addition(
    reader: Reader,
    run: Run,
    problems: Sequence[str],
    add: int,
    *,
    configuration: Configuration,
    engine: str | None = None,
    model: str | None = None,
    pool: bool = False,
    template: str | None = None,
) -> Addition:
    """Plan `add` more samples of these problems for a run that exists, with its template and parameters.

    A run whose prompt or parameters are not known (it was imported) is not added to, unless `pool` says so: the samples
    form the run `NAME+resampled`, so that nothing that may differ is pooled silently.

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
    unknown = [name for name in NEEDED if name not in run.parameters and not (name == "template" and template)]
    own_run = bool(unknown) and not pool
    kind, options = configuration.engine_options(engine or configuration.engine)
    if kind != "server" and Path(path).is_absolute() and not Path(path).is_dir():
        raise UsageError(
            f"The model folder {path} does not exist",
            next_step=f"Say where {run.model.name} lies with --model PATH, or in {configuration.path} under [models].",
        )
    name = f"{run.name}+resampled" if own_run else run.name
    kept: Mapping[str, Any] = {key: value for key, value in run.parameters.items() if key != "template"}
    plan = plan_run(
        reader,
        benchmark=run.benchmark,
        add=add,
        run_options=RunOptions(run=name, model=run.model.name, role=run.model.role),
        parameters=kept,
        template=template,
        problems=problems,
    )
    return Addition(plan, EngineChoice(kind, path, options), own_run, run.mean_tokens)
