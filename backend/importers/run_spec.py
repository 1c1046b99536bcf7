"""Which run the samples of a file go to: what the file says, what the user says, what the store knows already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from backend.errors import UsageError
from backend.importers.file_names import NamesFrom
from backend.importers.protocol import NotSaid, RunFacts
from backend.records import ROLES, Model
from backend.records.samples import NOT_SAMPLING
from backend.store.decisions import NOTHING_DECIDED, Decided
from backend.store.identity import without_surrogates
from backend.store.parts import Manifest, PartRun


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the user said about the run; it goes before what a file says, unless `names.only_gaps`."""

    run: str | None = None
    model: str | None = None
    role: str | None = None
    from_model: str | None = None
    step: int | None = None
    algorithm: str | None = None
    benchmark: str | None = None
    source: str | None = None
    """Where the results were published; kept with the run's parameters."""
    names: NamesFrom = field(default_factory=NamesFrom)
    """What the names of files and folders say."""
    pooled: bool = False
    """Whether files whose names differ are one run all the same, because the user said so."""

    def of(self, facts: RunFacts) -> RunOptions:
        """What holds for a run of which a file says so much."""
        if not self.names.only_gaps:
            return self
        said = replace(self, benchmark=None if facts.benchmark else self.benchmark)
        if facts.model is None:
            return said
        # What was said of a model was said of another one.
        return replace(said, model=None, role=None, from_model=None, step=None, algorithm=None)


@dataclass(frozen=True, slots=True)
class RunSpec:
    """The run that samples go to."""

    run: str
    model: Model
    benchmark: str
    parameters: Mapping[str, Any]
    exists: bool
    """Whether the store has this run already."""
    next_sample: int
    """First free sample index of the run."""


class RunResolver:
    """Resolves the facts of blocks to runs and holds what has been resolved in this import."""

    def __init__(self, options: RunOptions, manifests: Iterable[Manifest], decided: Decided = NOTHING_DECIDED) -> None:
        """`manifests` are of every part, those taken back among them: their sample indices are not given again."""
        if options.role is not None and options.role not in ROLES:
            raise UsageError(f"--role {options.role}: unknown role", next_step=f"One of {', '.join(ROLES)}.")
        self._options = options
        self._decided = decided
        self._stored: dict[str, PartRun] = {}
        self._models: dict[str, Model] = {}
        self._next: dict[str, int] = {}
        every = {manifest.part: manifest for manifest in manifests}
        for manifest in every.values():
            for run in manifest.runs:
                self._next[run.run] = max(self._next.get(run.run, 0), run.next_sample)
        for manifest in decided.counted(every).values():
            for run in manifest.runs:
                # What one part leaves open another may know.
                known = self._stored.get(run.run)
                parameters = {**run.parameters, **(known.parameters if known is not None else {})}
                self._stored[run.run] = msgspec.structs.replace(run, parameters=parameters)
                model = Model(run.model, run.role, run.from_model, run.step, run.algorithm)
                model = self._as_decided(model)
                self._models[run.model] = _combined(self._models.get(run.model), model, "The store")
        self._stored_names = {decided.name_of(name): name for name in self._stored}
        self._models_before = dict(self._models)
        self.several_checkpoints = False
        """Whether this import has samples of several training steps: then each step is a model of its own."""
        self._named: dict[str, str] = {}
        """Model that the files name, by run: the user may rename one, not several to the same."""
        self._said: dict[str, Model] = {}
        """What this import says of models, without what was decided: that is not to stay when it is taken back."""
        self._resolved: dict[RunFacts, str] = {}
        self._by_run: dict[str, RunSpec] = {}

    @property
    def options(self) -> RunOptions:
        """What the user said."""
        return self._options

    def name_of(self, run: str) -> str:
        """What a run is called now; writers go on naming it as it came, since its key follows from that."""
        return self._decided.name_of(run)

    def _as_decided(self, model: Model) -> Model:
        """The model with what was said of it since it came."""
        said = self._decided.models.get(model.name, {})
        known: dict[str, Any] = {name: int(value) if name == "step" else value for name, value in said.items()}
        return replace(model, **known)

    def resolve(self, facts: RunFacts, where: str) -> RunSpec:
        """The run for these facts.

        Raises:
            UsageError: model or benchmark is unknown, or the run or model contradicts what is there already.
        """
        run = self._resolved.get(facts)
        if run is None:
            target = self._resolve(facts, where)
            run = self._resolved[facts] = target.run
            self._by_run[run] = target
        return self._by_run[run]

    def resolved(self, run: str) -> RunSpec:
        """A run that has been resolved, with all that the files of this import say of it and of its model."""
        target = self._by_run[run]
        return replace(target, model=self._models[target.model.name])

    def said_of(self, model: Model) -> Model:
        """What this import itself says of a model."""
        return self._said.get(model.name, model)

    def tells_more(self, run: str) -> bool:
        """Whether this import knows something of the run's model that the store does not: a role, for example."""
        model = self._by_run[run].model.name
        return self._models[model] != self._models_before.get(model, self._models[model])

    def _resolve(self, facts: RunFacts, where: str) -> RunSpec:
        said = self._options.of(facts)
        model_name, benchmark = said.model or facts.model, said.benchmark or facts.benchmark
        run = said.run or facts.run
        run = self._stored_names.get(run, run) if run else None
        if facts.checkpoint and self.several_checkpoints and said.step is None:
            run = f"{run}-step{facts.step}" if run else None
            model_name = f"{model_name}-step{facts.step}" if model_name else None
        stored = self._stored.get(run) if run else None
        if stored is not None:
            # Adding to a run that exists: what the file leaves open is known from before.
            model_name, benchmark = model_name or stored.model, benchmark or stored.benchmark
        missing = [f"--{option}" for option, value in (("model", model_name), ("benchmark", benchmark)) if not value]
        if missing or not model_name or not benchmark:
            raise NotSaid(
                f"{where} does not say which {' and '.join(m.removeprefix('--') for m in missing)} it is of",
                next_step=f"Say so with {' and '.join(f'{option} NAME' for option in missing)}.",
            )
        model_name, benchmark = without_surrogates(model_name), without_surrogates(benchmark)
        run = without_surrogates(run or f"{model_name}@{benchmark}")
        run = self._stored_names.get(run, run)
        if facts.model is not None and self._named.setdefault(run, facts.model) != facts.model:
            raise UsageError(
                f"{where}: more than one model goes to the run {run}: {self._named[run]} and {facts.model}",
                "Samples of two models in one run could not be told apart.",
                "Leave out --run and --model, and name columns with --column MODEL=COLUMN; or import file by file.",
            )
        role = said.role or facts.role
        if role is not None and role not in ROLES:
            raise UsageError(
                f"{where}: the role {role!r} is unknown", next_step=f"Say one with --role: {', '.join(ROLES)}."
            )
        # What the user decided goes before what the file says, and what the user says now before both.
        self._said[model_name] = _filled(
            self._said.get(model_name),
            Model(
                model_name,
                role,
                said.from_model or facts.from_model,
                said.step if said.step is not None else facts.step,
                said.algorithm or facts.algorithm,
            ),
        )
        model = self._as_decided(Model(model_name, role, facts.from_model, facts.step, facts.algorithm))
        model = Model(
            model_name,
            said.role or model.role,
            said.from_model or model.from_model,
            said.step if said.step is not None else model.step,
            said.algorithm or model.algorithm,
        )
        model = _combined(self._models.get(model_name), model, where)
        self._models[model_name] = model
        target = RunSpec(
            run=run,
            model=model,
            benchmark=benchmark,
            parameters=dict(facts.parameters) | ({"source": said.source} if said.source else {}),
            exists=run in self._stored,
            next_sample=self._next.get(run, 0),
        )
        return self._agreeing(target, where)

    def _agreeing(self, target: RunSpec, where: str) -> RunSpec:
        """The target with all parameters known of it, if it is the same configuration as the run of that name."""
        stored = self._stored.get(target.run)
        first = self._by_run.get(target.run)
        known = (
            (first.model.name, first.benchmark, first.parameters)
            if first is not None
            else (stored.model, stored.benchmark, stored.parameters)
            if stored is not None
            else None
        )
        if known is not None:
            model, benchmark, parameters = known
            differences = [
                f"{name} {old} and {new}"
                for name, old, new in (
                    ("model", model, target.model.name),
                    ("benchmark", benchmark, target.benchmark),
                    *(
                        (key, parameters[key], target.parameters[key])
                        for key in target.parameters
                        if key in parameters and key not in NOT_SAMPLING
                    ),
                )
                if old != new
            ]
            if differences:
                raise UsageError(
                    f"{where} does not belong to the run {target.run}",
                    "A run is one model, one benchmark and one sampling configuration; "
                    f"here: {'; '.join(differences)}.",
                    "Give it a run of its own: --run NAME; or say where models stand in the paths: --model-from.",
                )
            target = replace(target, parameters={**parameters, **target.parameters})
        return target


def _filled(known: Model | None, new: Model) -> Model:
    """One model's attributes from two sources, the first before the second."""
    if known is None:
        return new
    return Model(
        new.name,
        known.role or new.role,
        known.from_model or new.from_model,
        known.step if known.step is not None else new.step,
        known.algorithm or new.algorithm,
    )


def _combined(known: Model | None, new: Model, where: str) -> Model:
    """One model's attributes from two sources; what one leaves open the other fills.

    Raises:
        UsageError: they contradict each other.
    """
    if known is None:
        return new
    for name in ("role", "from_model", "step", "algorithm"):
        old, given = getattr(known, name), getattr(new, name)
        if old is not None and given is not None and old != given:
            raise UsageError(
                f"The model {new.name} has the {name.replace('_', '-')} {old}, not {given}",
                f"{where} says otherwise; the store knows one role, origin and step for each model name.",
                "Give this checkpoint a name of its own: --model NAME.",
            )
    return _filled(known, new)
