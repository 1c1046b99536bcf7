"""The steps in their order, each skipped where its output is complete.

`Workspace` knows where one seed of the experiment keeps its files: ``OUT/seed-S/`` with models/, samples/,
the trainer's folders and the choice. Learning rate and step are chosen once, with the seed named in the
configuration; the other seeds read that choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sample_data.recipe import base, choice, distill, problems, rl, sampling, ship, training
from sample_data.recipe.choice import Choice
from sample_data.recipe.config import Config
from sample_data.recipe.countdown import Key
from sample_data.recipe.problems import Problem


@dataclass(frozen=True)
class Workspace:
    """Files of one seed."""

    config: Config
    out: Path
    seed: int

    @property
    def root(self) -> Path:
        """The folder of one seed."""
        return self.out / f"seed-{self.seed}"

    @property
    def heldout_path(self) -> Path:
        """The benchmark, the same for all seeds."""
        return self.out / "problems.jsonl"

    @property
    def development_path(self) -> Path:
        """The development problems, the same for all seeds."""
        return self.out / "development.jsonl"

    @property
    def choice_path(self) -> Path:
        """The choice of learning rate and step, made by one seed for all."""
        return self.out / "choice.json"

    @property
    def rates_path(self) -> Path:
        """Development scores of the trial rates, of the seed that chooses."""
        return self.out / f"seed-{self.config.rl.trial_seed}" / "rates.json"

    def model(self, name: str) -> Path:
        """A model's folder."""
        return self.root / "models" / name

    def samples(self, run: str) -> Path:
        """A run's file."""
        return self.root / "samples" / f"{run}.parquet"

    def trainer(self, rate: float) -> Path:
        """The trainer's folder of one learning rate."""
        return self.root / f"rl-{rate:g}"

    def forbidden(self) -> set[Key]:
        """Keys of the held-out and the development problems."""
        return {p.key for p in (*self.heldout(), *self.development())}

    def heldout(self) -> list[Problem]:
        """The benchmark's problems."""
        return problems.read(self.heldout_path)

    def development(self) -> list[Problem]:
        """The development problems."""
        return problems.read(self.development_path)


def make_problems(space: Workspace) -> None:
    """Step "problems"."""
    space.root.mkdir(parents=True, exist_ok=True)
    (space.root / "models").mkdir(exist_ok=True)
    (space.root / "samples").mkdir(exist_ok=True)
    if space.heldout_path.is_file() and space.development_path.is_file():
        return
    heldout, development = problems.benchmark(space.config)
    problems.write(space.development_path, development)
    problems.write(space.heldout_path, heldout)


def make_base(space: Workspace) -> None:
    """Step "base"."""
    folder = space.model(sampling.BASE)
    if not training.complete(folder):
        base.build(space.config, folder, space.seed, space.forbidden())


def try_rate(space: Workspace, rate: float) -> float:
    """Trains one learning rate for the trial's steps and returns its development score."""
    config = space.config
    steps, folder = config.rl.trial_steps, space.trainer(rate)
    rl_problems, _ = problems.training(config, space.seed, space.forbidden())
    rl.train(config, space.model(sampling.BASE), folder, rl_problems, rate, steps, space.seed)
    target = space.root / f"trial-{rate:g}"
    if not training.complete(target):
        rl.export(folder, steps, space.model(sampling.BASE), target, {"learning_rate": rate})
    name = f"rl-{rate:g}-{steps}"
    return choice.cached_score(
        space.rates_path,
        f"{rate:g}",
        lambda: choice.development_score(config, target, space.development(), name),
    )


def chosen_rate(space: Workspace) -> float:
    """The learning rate: tried by the choosing seed, read by the others."""
    if space.seed == space.config.rl.trial_seed:
        return float(choice.best({f"{rate:g}": try_rate(space, rate) for rate in space.config.rl.learning_rates}))
    if not space.rates_path.is_file():
        raise FileNotFoundError(f"Run seed {space.config.rl.trial_seed} first: it chooses the learning rate.")
    rates = {
        f"{rate:g}": choice.cached_score(space.rates_path, f"{rate:g}", _missing)
        for rate in space.config.rl.learning_rates
    }
    return float(choice.best(rates))


def _missing() -> float:
    raise FileNotFoundError("The trials of the learning rates are not complete.")


def make_rl(space: Workspace) -> None:
    """Step "rl": trials, the full run, its checkpoints as models, and the choice of the step.

    A seed that does not choose trains no further than the chosen step, and keeps that one.
    """
    config, rate = space.config, chosen_rate(space)
    steps, every = config.rl.steps, config.rl.save_steps
    names = [sampling.rl_name(step) for step in range(every, steps + 1, every)]
    if space.seed != config.rl.trial_seed:
        steps = choice.read(space.choice_path).step
        names = [sampling.rl_name(steps)]
    if not all(training.complete(space.model(name)) for name in names):
        rl_problems, _ = problems.training(config, space.seed, space.forbidden())
        source, folder = space.model(sampling.BASE), space.trainer(rate)
        rl.train(config, source, folder, rl_problems, rate, steps, space.seed)
        for name in names:
            step = int(name.rsplit("-", 1)[1])
            facts = {"learning_rate": rate, "seed": space.seed}
            rl.export(folder, step, source, space.model(name), facts)
    if space.seed != config.rl.trial_seed or space.choice_path.is_file():
        return
    scores_path, scores = space.root / "steps.json", {}
    for name in (sampling.BASE, *names):
        scores[name] = choice.cached_score(
            scores_path,
            name,
            lambda name=name: choice.development_score(config, space.model(name), space.development(), name),  # type: ignore[misc]
        )
    step = int(choice.best({name: scores[name] for name in names}).rsplit("-", 1)[1])
    rates = {f"{r:g}": try_rate(space, r) for r in config.rl.learning_rates}
    choice.write(space.choice_path, Choice(rate, step, rates, scores))


def make_distilled(space: Workspace) -> None:
    """Step "distill"."""
    folder = space.model(sampling.DISTILL)
    if not training.complete(folder):
        _, teacher = problems.training(space.config, space.seed, space.forbidden())
        distill.build(space.config, space.model(sampling.BASE), folder, teacher, space.seed)


def make_samples(space: Workspace) -> None:
    """Step "samples": everything for the seed that is shipped, the comparison's runs for the others."""
    picked = choice.read(space.choice_path)
    shipped = space.seed == space.config.rl.trial_seed
    for run in sampling.plan(space.config, picked, everything=shipped):
        if not space.samples(run.name).is_file():
            seed_name = run.name if shipped else f"{run.name}#{space.seed}"
            model, target = space.model(run.model), space.samples(run.name)
            sampling.draw(space.config, run, seed_name, model, space.heldout(), target)


def make_shipment(space: Workspace) -> None:
    """Step "ship": copies into sample_data/ what belongs there."""
    shipped = space.seed == space.config.rl.trial_seed
    ship.counts(space.root / "samples", space.seed)
    if shipped:
        ship.files(space.out, space.root)


STEPS = {
    "problems": make_problems,
    "base": make_base,
    "rl": make_rl,
    "distill": make_distilled,
    "samples": make_samples,
    "ship": make_shipment,
}
