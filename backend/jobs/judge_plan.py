"""What a language model is to judge: a judge, and the paths of some runs that lack its votes.

A judge is its model, its prompt and how it is sampled; another prompt makes another judge. Its name stands as the
author of its judgements, a hash of all of that as their version. What it judges are reasoning paths with a right
answer, as CoT-pass@k counts them (arXiv 2506.14245), unless all are asked for.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

from backend.configuration import Configuration, model_path, model_place
from backend.engines.registry import ENGINES
from backend.errors import UsageError
from backend.jobs.job import Job, claiming, planning_lock, prepare
from backend.jobs.templates import render_text, template_for, template_hash
from backend.jobs.work import EngineChoice, Progress, WorkState
from backend.records import Run
from backend.store.database import open_store
from backend.store.identity import run_key
from backend.store.layout import StoreLayout
from backend.store.reads import Reader
from backend.votes import PARSER, RULES, decide

VOTES = 3
RULE = "majority"
TEMPERATURE, TOP_P, MAX_TOKENS = 0.6, 0.95, 2_048
"""Of a judge, where the user does not say otherwise."""

PathKey = tuple[str, int, int]
"""Run (the name it came with), problem key, sample index."""


@dataclass(frozen=True, slots=True)
class Judge:
    """A language model that judges: everything on which its answers depend, apart from engine and seed."""

    model: str
    """Its name; not where it lies."""
    template: str
    """Of the prompt; may use `statement`, `reference` (empty where there is none) and `path`."""
    temperature: float = TEMPERATURE
    top_p: float = TOP_P
    max_tokens: int = MAX_TOKENS
    chat: bool = False
    """Whether the prompt goes as a chat message."""
    wrapper: str = ""
    """The chat template that a model folder's tokenizer puts around it; empty where a server does, or nobody."""

    @property
    def author(self) -> str:
        return f"llm:{self.model}"

    @property
    def version(self) -> str:
        """BLAKE2b of all of it and of the reader of its answers, 12 hexadecimal digits."""
        said = json.dumps([PARSER, asdict(self)], sort_keys=True)
        return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()

    def prompt(self, statement: str | None, reference: str | None, path: str) -> str:
        """What it is asked about one path. Raises UsageError: see `render_text`."""
        values = {"statement": statement or "", "reference": reference or "", "path": path}
        text = render_text(self.template, values)
        return render_text(self.wrapper, {"statement": text}) if self.wrapper else text


@dataclass(frozen=True, slots=True)
class PlannedPaths:
    """Paths of one run and problem."""

    run: str
    key: int
    label: str
    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class JudgePlan:
    """Everything that one judge is to say."""

    kind: ClassVar[str] = "judgements"
    """Of the job's parts, too."""

    judge: Judge
    votes: int
    """Wanted of each path; those that are there are not asked for again."""
    rule: str
    retry: bool
    """Whether an answer that cannot be read is asked for once more, with another seed."""
    paths: tuple[PlannedPaths, ...]
    """Only those with something to judge."""

    @property
    def samples(self) -> int:
        return sum(len(paths.indices) for paths in self.paths)

    @property
    def problems(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(paths.key for paths in self.paths))

    @property
    def runs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(paths.run for paths in self.paths))

    @property
    def title(self) -> str:
        return self.called(str)

    def called(self, name_of: Callable[[str], str]) -> str:
        return f"{' + '.join(map(name_of, self.runs))} judged by {self.judge.author}"

    def keys(self) -> Iterable[PathKey]:
        return ((paths.run, paths.key, index) for paths in self.paths for index in paths.indices)

    def stored(self, layout: StoreLayout) -> Counter[str]:
        """What its paths came to that have all their votes: valid, invalid, unsure, unknown."""
        with closing(open_store(layout, merging=False)) as database, Reader(database) as reader:
            return Counter(judged_paths(reader, self).values())

    def left(self, layout: StoreLayout, job: str) -> JudgePlan:
        # Claims first: those of a job that finishes in between are in the store then.
        others = claimed_paths(layout, self, but=job)
        with closing(open_store(layout, merging=False)) as database, Reader(database) as reader:
            return without_judged(self, others.union(judged_paths(reader, self)))

    def carry_out(
        self, layout: StoreLayout, left: JudgePlan, engine: EngineChoice, progress: Progress, job: str
    ) -> WorkState:
        """Judge what is left; raises like `judge_paths`."""
        from backend.jobs.judging import judge_paths

        with engine.loaded() as loaded:
            return judge_paths(layout, left, loaded, progress, job=job)

    def finish(self, layout: StoreLayout, job: str) -> None:
        from backend.jobs.judging import compact_judgements

        compact_judgements(layout, job)


def without_judged(plan: JudgePlan, done: Collection[PathKey]) -> JudgePlan:
    """What is left of a plan when these paths have their votes."""
    left = [
        replace(paths, indices=tuple(i for i in paths.indices if (paths.run, paths.key, i) not in done))
        for paths in plan.paths
    ]
    return replace(plan, paths=tuple(paths for paths in left if paths.indices))


def judged_paths(reader: Reader, plan: JudgePlan) -> dict[PathKey, str]:
    """The paths of a plan that have all their votes, each with what these come to by its rule."""
    names = {run_key(run): run for run in plan.runs}
    wanted = set(plan.keys())
    judge = plan.judge
    rows = reader.rows("judgements/counted_votes", run_keys=list(names), author=judge.author, version=judge.version)
    return {
        path: decide(plan.rule, sound, unsound, unknown) or "unknown"
        for _, _, run, key, index, sound, unsound, unknown, _ in rows
        if sound + unsound + unknown >= plan.votes and (path := (names[run], key, index)) in wanted
    }


def claimed_paths(layout: StoreLayout, plan: JudgePlan, but: str = "") -> set[PathKey]:
    """The paths that other jobs of the same judge have promised as many votes, those of the job `but` left out."""
    found: set[PathKey] = set()
    for job, other in claiming(layout, JudgePlan):
        if job.name != but and other.judge == plan.judge and other.votes >= plan.votes:
            found.update(other.keys())
    return found


# What a person asks to be judged, turned into a plan: which judge, which paths, how many votes, and what that takes.


def default_judge_prompt() -> str:
    """The template that judges are asked with where the user names none."""
    return files("backend.jobs").joinpath("judge_prompt.jinja").read_text(encoding="utf-8")


def read_judge_prompt(path: Path) -> str:
    """The template in a file.

    Raises:
        UsageError: it cannot be read, leaves the path out, or is broken.
    """
    try:
        return path.expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"--template {path}: {error}",
            next_step="Name a UTF-8 text file with {{ path }} in it; passk judgements prompt prints one to begin from.",
        ) from error


@dataclass(frozen=True, slots=True)
class JudgeWish:
    """Who is to judge what, as a person says it."""

    runs: tuple[Run, ...]
    model: str
    problems: Collection[int] | None = None
    """Keys of the only problems; None for all."""
    only_correct: bool = True
    template: str | None = None
    """Its text; the default when omitted."""
    chat: bool = False
    votes: int = VOTES
    rule: str = RULE
    retry: bool = False
    temperature: float = TEMPERATURE
    top_p: float = TOP_P
    max_tokens: int = MAX_TOKENS


@dataclass(frozen=True, slots=True)
class JudgeEstimate:
    """What judging will take at most, from the lengths of what is judged."""

    paths: int
    prompts: int
    tokens_in: float
    characters_per_token: float
    measured: bool
    """Whether the characters of a token are those of the judged runs' own samples, or a usual figure."""
    tokens_out: float | None
    """Expected, from what this judge has answered here before; None where it has not."""
    tokens_out_most: int
    price: float | None
    """Of the expected tokens, or of the most; None where config.toml has no price of the model."""


@dataclass(frozen=True, slots=True)
class JudgeRequest:
    """A plan and what there is to say about it."""

    plan: JudgePlan
    engine: EngineChoice
    judged_already: int
    """Paths asked for that have their votes already, or that another job has promised."""
    estimate: JudgeEstimate
    remarks: tuple[str, ...]


USUAL_CHARACTERS = 4.0
"""Characters of a token where no sample tells: about what English takes."""


def plan_judging(
    reader: Reader,
    wish: JudgeWish,
    *,
    configuration: Configuration,
    engine: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> JudgeRequest:
    """Plan what a judge is to say; paths that have its votes are not judged again.

    Args:
        engine: its name; the configured one when omitted.
        options: of the engine.

    Raises:
        UsageError: a value cannot be, the template is broken, or the model is not there.
    """
    _check(wish)
    kind, configured = configuration.engine_options(engine or configuration.engine)
    name, place = _model(wish.model, configuration, folders=ENGINES.load(kind).folders)
    chosen = {**configured, **(options or {})}
    wrapper = ""
    if wish.chat and ENGINES.load(kind).folders:
        wrapper = template_for("chat", place)
    elif wish.chat:
        chosen["chat"] = True
    template = default_judge_prompt() if wish.template is None else wish.template
    judge = Judge(name, template, float(wish.temperature), float(wish.top_p), wish.max_tokens, wish.chat, wrapper)
    # A template that cannot be rendered, or leaves the path out, must not be found out by a job.
    mark = "\u27e8the path stands here\u27e9"
    if mark not in judge.prompt("1 + 1 = ?", "2", mark):
        raise UsageError(
            "The prompt template leaves the path out", template[:500], "Write {{ path }} where the path is to stand."
        )
    remarks: list[str] = []
    found = [_paths(reader, run, wish, remarks) for run in wish.runs]
    whole = JudgePlan(judge, wish.votes, wish.rule, wish.retry, tuple(each.paths for one in found for each in one))
    # Claims first: those of a job that finishes in between are in the store then.
    done = claimed_paths(reader.database.layout, whole)
    plan = without_judged(whole, done | set(judged_paths(reader, whole)))
    lengths = {(each.paths.run, each.paths.key): each for one in found for each in one}
    return JudgeRequest(
        plan,
        EngineChoice(kind, place, chosen, configuration.configured_name(engine), model_named=True),
        whole.samples - plan.samples,
        _estimate(reader, plan, lengths, configuration.prices.get(name)),
        tuple(remarks),
    )


def _check(wish: JudgeWish) -> None:
    if wish.rule not in RULES:
        raise UsageError(f"There is no rule {wish.rule}", next_step=f"One of {', '.join(RULES)}.")
    if wish.votes < 1 or wish.max_tokens < 1:
        raise UsageError("A judge needs 1 vote or more, of 1 token or more")
    if wish.temperature == 0 and (wish.votes > 1 or wish.retry):
        raise UsageError(
            "At temperature 0 every vote of a path is the same text",
            next_step="Ask for one vote and no retry (--votes 1), or sample with --temperature 0.6.",
        )


def _model(given: str, configuration: Configuration, *, folders: bool) -> tuple[str, str]:
    """Name of the judging model, and its place or what the engine calls it."""
    if not given.strip():
        raise UsageError("Which model judges?", next_step="Name a model folder, or what the server calls it.")
    if not folders:
        return given, configuration.models.get(given, given)
    place = model_place(model_path(given, {}, configuration) or given)
    if Path(place).is_absolute() and not Path(place).is_dir():
        raise UsageError(f"The model folder {place} does not exist", next_step="Name it with --model PATH.")
    return (Path(given).name if Path(given).is_absolute() else given), place


@dataclass(frozen=True, slots=True)
class _Lengths:
    paths: PlannedPaths
    asked: int
    """Characters of statement and reference."""
    characters: Mapping[int, int]
    """Of each path, by sample."""
    characters_known: int
    tokens_known: int


def _paths(reader: Reader, run: Run, wish: JudgeWish, remarks: list[str]) -> list[_Lengths]:
    keys = None if wish.problems is None else sorted(wish.problems)
    verdict = "correct" if wish.only_correct else None
    rows = reader.rows("judgements/paths_to_judge", run_key=run.key, problem_keys=keys, verdict=verdict)
    if not rows:
        what = "correct paths with a stored text" if wish.only_correct else "stored texts"
        remarks.append(f"{run.name} has no {what} of these problems.")
    return [
        _Lengths(
            PlannedPaths(run.stored_name, key, label, tuple(samples)),
            asked,
            dict(zip(samples, characters, strict=True)),
            characters_known,
            tokens_known,
        )
        for key, label, asked, samples, characters, characters_known, tokens_known in rows
    ]


def _estimate(
    reader: Reader,
    plan: JudgePlan,
    lengths: Mapping[tuple[str, int], _Lengths],
    prices: tuple[float, float] | None,
) -> JudgeEstimate:
    around = len(plan.judge.prompt("", "", ""))
    characters = sum(
        around + of.asked + of.characters[index]
        for paths in plan.paths
        for of in [lengths[paths.run, paths.key]]
        for index in paths.indices
    )
    known = sum(of.characters_known for of in lengths.values())
    tokens = sum(of.tokens_known for of in lengths.values())
    per_token = known / tokens if known and tokens else USUAL_CHARACTERS
    prompts = plan.samples * plan.votes
    tokens_in = characters * plan.votes / per_token
    before = _tokens_of_votes(reader, plan.judge)
    tokens_out = None if before is None else before * prompts
    most = prompts * plan.judge.max_tokens
    price = None
    if prices is not None:
        price = (tokens_in * prices[0] + (most if tokens_out is None else tokens_out) * prices[1]) / 1e6
    return JudgeEstimate(plan.samples, prompts, tokens_in, per_token, bool(known and tokens), tokens_out, most, price)


def _tokens_of_votes(reader: Reader, judge: Judge) -> float | None:
    """Tokens of an answer of this judge, the mean over all of the store."""
    rows = reader.rows(
        "judgements/counted_votes",
        run_keys=[run.key for run in reader.runs()],
        author=judge.author,
        version=judge.version,
    )
    votes = sum(sum(row[5:8]) for row in rows)
    tokens = sum(row[8] or 0 for row in rows)
    return tokens / votes if votes and tokens else None


def prepare_judging(layout: StoreLayout, request: JudgeRequest) -> Job | None:
    """Write the job of a request; None when other jobs have promised all of it since it was planned.

    Raises:
        StoreError: the store cannot be written.
    """
    with planning_lock(layout):
        plan = without_judged(request.plan, claimed_paths(layout, request.plan))
        return prepare(layout, plan, request.engine) if plan.samples else None


# The judges of a store.


@dataclass(frozen=True, slots=True)
class KnownJudge:
    """A judge that has said something, as it is kept in the store."""

    author: str
    version: str
    judge: Judge
    engine: str
    """Engine and libraries with their versions."""
    template_hash: str

    def to_json(self) -> str:
        """As it stands among the store's sources."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def of(cls, judge: Judge, engine: str) -> KnownJudge:
        return cls(judge.author, judge.version, judge, engine, template_hash(judge.template))


def known_judges(reader: Reader) -> Iterator[KnownJudge]:
    """The language models that have judged in this store, one for each version of engine and prompt."""
    for (text,) in reader.rows("judgements/judges"):
        said = json.loads(text)
        yield KnownJudge(**{**said, "judge": Judge(**said["judge"])})
