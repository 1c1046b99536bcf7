"""Whose jobs are worked on, and what a plan may say to the engine that a worker loads.

A store's folder may be writable for others, so a plan is a wish and no command. It names an engine, parameters from a
fixed list and a model; nothing in it is code. Whatever else an engine is told, and which hosts get an API key, comes
from the configuration and the command line of whoever works. A plan that somebody else can have written is shown and
confirmed before anything is done.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from backend.configuration import Configuration
from backend.engines.protocol import EngineKind
from backend.engines.registry import ENGINES
from backend.errors import UsageError
from backend.jobs.job import Job
from backend.jobs.judge_plan import JudgePlan
from backend.jobs.work import EngineChoice, Plan, plan_options
from backend.store.shared_files import is_mine


class NotConfirmed(UsageError):
    """Somebody else's job, which nobody has confirmed."""


def plan_hash(text: bytes) -> str:
    """Says which plan was confirmed, should it be exchanged before the worker reads it."""
    return blake2b(text, digest_size=16).hexdigest()


def foreign_owner(found: os.stat_result) -> str | None:
    """Who else can have written a plan, in words; None where only this user can."""
    if is_mine(found):
        return None
    if found.st_uid == os.geteuid():
        return "you, but others may write it" if stat.S_IMODE(found.st_mode) & 0o022 else "you"
    try:
        from pwd import getpwuid

        return getpwuid(found.st_uid).pw_name
    except (ImportError, KeyError):
        return f"user {found.st_uid}"


def job_in_confirmation(job: Job) -> tuple[str, str, str] | None:
    """What must be confirmed before this user works on a job: by whom, what it does, and the hash of its plan.

    None for a job of this user's own. Raises like `Job.plan`.
    """
    text, found = job.plan_text()
    said = "\n".join(what_it_does(*job.parse_plan(text)))
    owner = foreign_owner(found)
    return None if owner is None else (owner, said, plan_hash(text))


def what_it_does(plan: Plan, engine: EngineChoice) -> Iterator[str]:
    """Everything of a plan that reaches an engine, a line each."""
    what = {"samples": "samples of", "judgements": "paths judged of"}.get(plan.kind, "texts scored of")
    yield f"{plan.title}: {plan.samples:,} {what} {len(plan.problems):,} problems"
    yield f"engine: {engine.name}" + (f" (as {engine.configured} in config.toml)" if engine.configured else "")
    yield f"model: {engine.model or '-'}"
    for name, value in engine.options.items():
        yield f"option: {name}={value}"
    if isinstance(plan, JudgePlan):
        yield f"votes: {plan.votes}, rule: {plan.rule}, prompt:"
        yield from (f"    {line}" for line in plan.judge.template.splitlines())


def require_confirmed(job: Job, text: bytes, found: os.stat_result, confirmed: str) -> None:
    """Refuse a plan of somebody else that nobody has confirmed, or that is no longer the one that was.

    Raises:
        NotConfirmed, UsageError.
    """
    if confirmed and plan_hash(text) != confirmed:
        raise UsageError(
            f"The plan of the job {job.name} is no longer the one that was confirmed",
            "Somebody has exchanged it meanwhile. Nothing was done.",
            f"Look at it again: passk jobs show {job.name}",
        )
    owner = foreign_owner(found)
    if owner is not None and not confirmed:
        said = "\n".join(what_it_does(*job.parse_plan(text)))
        raise NotConfirmed(
            f"The job {job.name} was prepared by {owner}",
            said,
            f"If that is what you want to do on this machine, in your name: passk work {job.folder} --trust",
        )


def engine_for_work(
    choice: EngineChoice, configuration: Configuration, given: Mapping[str, Any], *, mine: bool
) -> tuple[EngineChoice, list[str]]:
    """The engine as this worker loads it, and what there is to say about it.

    Args:
        choice: as the plan says.
        configuration: of whoever works.
        given: options on the worker's command line.
        mine: whether nobody else can have written the plan.

    Raises:
        UsageError: the plan wants something that only the worker's user may say.
    """
    kind = ENGINES.load(choice.name)
    entry = dict(configuration.engines.get(choice.configured, {}))
    own = entry if entry.pop("kind", None) == choice.name else {}
    planned = plan_options(kind, choice.options)
    wanted = [name for name in choice.options if name not in {*planned, *own, *given, kind.key_option}]
    if wanted:
        raise UsageError(
            f"The plan wants {', '.join(wanted)}, which only you can say",
            "A plan may lie in a folder that others write, so it holds only plain parameters of an engine.",
            "If you want it: passk work JOB " + " ".join(f"--option {name}=..." for name in wanted)
            + f", or name it under [engines] in {configuration.path}.",
        )  # fmt: skip
    options = {**own, **planned, **given}
    if kind.address_option in own and kind.address_option not in given:
        options[kind.address_option] = own[kind.address_option]
    notes = _keep_key(kind, options, configuration, given, mine=mine and kind.address_option not in planned)
    code = [name for name in kind.runs_model_code if options.get(name)]
    if code and mine and not choice.model_named and choice.model not in configuration.models.values():
        raise UsageError(
            f"With {', '.join(code)} code of the model's folder would run, and only the store says where that lies",
            f"It says: {choice.model}",
            f"If that is right, name it under [models] in {configuration.path}, or with passk sample --model.",
        )
    return replace(choice, options=options), notes


def _keep_key(
    kind: EngineKind, options: dict[str, Any], configuration: Configuration, given: Mapping[str, Any], *, mine: bool
) -> list[str]:
    """Choose the variable of the key by who names the hosts; none where only a plan does."""
    if not kind.key_option or kind.addresses is None:
        return []
    used = set(kind.addresses(options))
    chosen = given.get(kind.key_option)
    if kind.address_option in given and used <= set(kind.addresses(given)):
        options[kind.key_option] = chosen or kind.usual_key
        return []
    for entry in configuration.engines.values():
        here = {name: value for name, value in entry.items() if name != "kind"}
        if entry["kind"] == kind.name and kind.address_option in here and used <= set(kind.addresses(here)):
            options[kind.key_option] = chosen or here.get(kind.key_option, kind.usual_key)
            return []
    if mine:  # nobody named a host: the engine's own, on this machine
        options[kind.key_option] = chosen or kind.usual_key
        return []
    options[kind.key_option] = ""
    if not os.environ.get(chosen or kind.usual_key):
        return []
    hosts = ", ".join(sorted(used))
    return [
        f"No API key is sent to {hosts}: only the job's plan names it. If the key is meant for it: "
        f"--option {kind.address_option}={','.join(sorted(used))}, or name it under [engines] in {configuration.path}."
    ]
