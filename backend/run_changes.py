"""Renaming and removing runs, and saying what was wrong or missing about their models: decisions that lie over them."""

from __future__ import annotations

from typing import Any

from backend.deciding import id_of, write_decisions
from backend.errors import UsageError
from backend.jobs.plan import claiming_jobs
from backend.records import ROLES, Run
from backend.records.decisions import DecisionMade
from backend.store.decisions import Decided, Decision
from backend.store.identity import run_key, without_surrogates
from backend.store.reads import Reader
from backend.wording import with_noun


def rename_run(reader: Reader, run: Run, name: str, reason: str | None = None) -> DecisionMade:
    """Call a run by another name. The name that it came with still means it: in imports, jobs and commands.

    Raises:
        UsageError: no name, or one that another run has or had.
        StoreError: the store cannot be written.
    """
    name = without_surrogates(name.strip())
    if not name:
        raise UsageError("A run needs a name", next_step="passk run rename RUN NAME")
    database = reader.database

    def rows(decided: Decided) -> list[Decision]:
        if name == decided.names.get(run.key, run.stored_name):
            raise UsageError(f"{run.name} is called that already")
        for manifest in database.manifests.values():
            for other in manifest.runs:
                key = run_key(other.run)
                if key != run.key and name in (other.run, decided.names.get(key)):
                    raise UsageError(
                        f"There is a run {name} already, or there was",
                        "Two runs of one name could not be told apart, and two runs are not made one by a name.",
                        "Choose another name.",
                    )
        return [Decision("run", target=run.name, run_key=run.key, field="name", value=name)]

    written = write_decisions(database, rows, reason)
    words = f"{run.name} is called {name} now"
    former = f"{run.stored_name} still means it: imports and jobs that name it go there"
    return DecisionMade(id_of(written.part), words, (former,) if name != run.stored_name else ())


def remove_run(reader: Reader, run: Run, reason: str | None = None) -> DecisionMade:
    """Leave a run out everywhere. Samples that are imported under its name later count.

    Raises:
        UsageError: a job draws into it.
        StoreError: the store cannot be written.
    """
    database = reader.database
    for job, _ in claiming_jobs(database.layout, run.stored_name):
        raise UsageError(
            f"The job {job.name} draws samples into {run.name}",
            next_step=f"Stop it first: passk jobs cancel {job.name}",
        )

    def rows(decided: Decided) -> list[Decision]:
        stored = reader.rows("reads/next_sample", run_key=run.key)[0][0]
        planned = [
            entry.next_sample
            for manifest in database.manifests.values()
            for entry in manifest.runs
            if entry.run == run.stored_name
        ]
        return [Decision("remove", target=run.name, run_key=run.key, sample=max(stored, *planned, 0))]

    written = write_decisions(database, rows, reason)
    return DecisionMade(id_of(written.part), f"{run_in_words(run)} left out everywhere")


def run_in_words(run: Run) -> str:
    """What a removal is about, for the question whether it is meant."""
    return f"{run.name}: {with_noun(run.samples, 'sample')} of {with_noun(run.problems, 'problem')}"


def set_run(
    reader: Reader,
    run: Run,
    *,
    role: str | None = None,
    from_model: str | None = None,
    step: int | None = None,
    algorithm: str | None = None,
    model_path: str | None = None,
    reason: str | None = None,
) -> DecisionMade:
    """Say of a run's model what was wrong or missing; it goes before what files said and say.

    Raises:
        UsageError: nothing is said, or an unknown role.
        StoreError: the store cannot be written.
    """
    if role is not None and role not in ROLES:
        raise UsageError(f"{role} is no role", next_step=f"One of {', '.join(ROLES)}.")
    of_model: dict[str, Any] = {"role": role, "from_model": from_model, "step": step, "algorithm": algorithm}
    said = {field: without_surrogates(str(value)) for field, value in of_model.items() if value is not None}
    made = [Decision("model", target=run.model.name, field=field, value=value) for field, value in said.items()]
    if model_path is not None:
        path = without_surrogates(model_path)
        made.append(Decision("run", target=run.name, run_key=run.key, field="model_path", value=path))
        said["model_path"] = path
    if not made:
        raise UsageError(
            f"What is to be said of {run.name}?", next_step="--role, --from-model, --step, --algorithm or --model-path."
        )
    others = [other.name for other in reader.runs() if other.model.name == run.model.name and other.key != run.key]
    written = write_decisions(reader.database, lambda _: made, reason)
    words = f"{run.name}: " + ", ".join(f"{field.replace('_', ' ')} {value}" for field, value in said.items())
    of_others = of_model != dict.fromkeys(of_model) and others
    notes = (f"also of {', '.join(others)}: they are of the model {run.model.name} too",) if of_others else ()
    return DecisionMade(id_of(written.part), words, notes)
