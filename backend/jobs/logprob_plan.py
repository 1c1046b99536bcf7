"""What is to be scored under a model: texts of some runs of a benchmark, and its reference responses.

A text is scored after the prompt that the run was sampled with, so with the run's template. Prompt and text are
tokenized apart: the prompt ends where it ended when the model was sampled, and what is scored are the tokens of the
text alone. Sampled texts are stored without their end-of-text token; where a sample ended by itself it is put back and
counts as a token, as it does in the log-probability that sampling stored.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar

from backend.configuration import Configuration, model_path, model_place
from backend.engines.registry import ENGINES
from backend.errors import InputError, UsageError, suggestion
from backend.jobs.job import Job, claiming, planning_lock, prepare
from backend.jobs.plan import given_prompts, own_statements
from backend.jobs.templates import render_prompt
from backend.jobs.work import EngineChoice, Progress, WorkState
from backend.records import Run
from backend.store.database import open_store
from backend.store.identity import run_key
from backend.store.layout import StoreLayout
from backend.store.reads import Reader

ALTERNATIVES = 4
"""Kept at each token where the user did not say how many."""

TextKey = tuple[str, int, int]
"""Run (empty for reference responses), problem key, sample index."""


@dataclass(frozen=True, slots=True)
class PlannedTexts:
    """Texts of one run and problem, all after the same prompt."""

    run: str
    """Empty for the problem's reference response."""
    key: int
    label: str
    prompt: str
    indices: tuple[int, ...]
    reference: str | None = None
    """The text itself, where it is no sample's."""
    ended: bool = True
    """Whether a sample that stopped did so by its end-of-text token; not where stop strings ended samples."""


@dataclass(frozen=True, slots=True)
class LogprobPlan:
    """Everything that is to be scored under one model."""

    kind: ClassVar[str] = "scores"
    """Of the job's parts, too."""

    benchmark: str
    scorer: str
    """The model, by its name in the store."""
    dtype: str
    """Precision; empty for a server, which does not tell."""
    texts: tuple[PlannedTexts, ...]
    """Only those with something to score."""
    by_token: bool = False
    """Whether the score of every token is kept."""
    alternatives: int = ALTERNATIVES
    """Likeliest tokens kept at each place, where scores by token are."""

    @property
    def samples(self) -> int:
        return sum(len(texts.indices) for texts in self.texts)

    @property
    def problems(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(texts.key for texts in self.texts))

    @property
    def runs(self) -> tuple[str, ...]:
        """The runs that they are of; empty for reference responses."""
        return tuple(dict.fromkeys(texts.run for texts in self.texts))

    @property
    def title(self) -> str:
        return self.called(str)

    def called(self, name_of: Callable[[str], str]) -> str:
        whose = " + ".join(name_of(run) if run else "references" for run in self.runs)
        return f"{whose or self.benchmark} under {self.scorer}"

    def keys(self) -> Iterable[TextKey]:
        return ((texts.run, texts.key, index) for texts in self.texts for index in texts.indices)

    def stored(self, layout: StoreLayout) -> Counter[str]:
        """How many of its texts are scored, and how many do not fit."""
        with closing(open_store(layout, merging=False, matching=False)) as database, Reader(database) as reader:
            return Counter(outcome(fits) for fits in scored_texts(reader, self).values())

    def left(self, layout: StoreLayout, job: str) -> LogprobPlan:
        # Claims first: those of a job that finishes in between are in the store then.
        others = claimed_texts(layout, self, but=job)
        with closing(open_store(layout, merging=False, matching=False)) as database, Reader(database) as reader:
            return without_scored(self, others.union(scored_texts(reader, self)))

    def carry_out(
        self, layout: StoreLayout, left: LogprobPlan, engine: EngineChoice, progress: Progress, job: str
    ) -> WorkState:
        """Score what is left; raises like `score`."""
        from backend.jobs.logprobs import score

        with engine.loaded() as loaded:
            return score(layout, left, loaded, progress, job=job)

    def finish(self, layout: StoreLayout, job: str) -> None:
        from backend.jobs.logprobs import compact_scores

        compact_scores(layout, job)


def outcome(fits: bool) -> str:
    """What a job says came of a text."""
    return "scored" if fits else "longer_than_context"


def without_scored(plan: LogprobPlan, done: set[TextKey]) -> LogprobPlan:
    """What is left of a plan when these texts need no score any more."""
    left = [
        replace(texts, indices=tuple(i for i in texts.indices if (texts.run, texts.key, i) not in done))
        for texts in plan.texts
    ]
    return replace(plan, texts=tuple(texts for texts in left if texts.indices))


# How far scoring is: what the store holds of a plan, and what other jobs have promised to score.


def scored_texts(reader: Reader, plan: LogprobPlan) -> dict[TextKey, bool]:
    """The texts of a plan that have what it wants, each with whether it fitted the model's context."""
    fitting = _fitting(reader, plan)
    if not plan.by_token:
        return fitting
    names = _names(plan)
    rows = reader.rows("scores/token_scored", run_keys=list(names), scorer=plan.scorer, dtype=plan.dtype)
    by_token = {(names[run], key, index) for run, key, samples in rows for index in samples}
    # A text that does not fit has no token scores, and never will.
    return {text: fits for text, fits in fitting.items() if not fits or text in by_token}


def _scored(reader: Reader, plan: LogprobPlan) -> set[TextKey]:
    """The same texts, by the keys that they are written under."""
    if not reader.database.matches():
        return set(scored_texts(reader, plan))
    layout = reader.database.layout
    with closing(open_store(layout, merging=False, matching=False)) as database, Reader(database) as unmatched:
        return set(scored_texts(unmatched, plan))


def summed_texts(reader: Reader, plan: LogprobPlan) -> set[TextKey]:
    """The texts of a plan that have a row in the table of sums already, whatever else is wanted of them."""
    return set(_fitting(reader, plan))


def claimed_texts(layout: StoreLayout, plan: LogprobPlan, but: str = "") -> set[TextKey]:
    """The texts that other jobs under the same model and precision will score, those of the job `but` left out."""
    found: set[TextKey] = set()
    for job, other in claiming(layout, LogprobPlan):
        same = (other.scorer, other.dtype) == (plan.scorer, plan.dtype)
        if same and job.name != but and (other.by_token or not plan.by_token):
            found.update(other.keys())
    return found


def _names(plan: LogprobPlan) -> dict[int, str]:
    return {run_key(run) if run else 0: run for run in plan.runs}


def _fitting(reader: Reader, plan: LogprobPlan) -> dict[TextKey, bool]:
    names = _names(plan)
    wanted = set(plan.keys())
    rows = reader.rows("scores/scored", run_keys=list(names), scorer=plan.scorer, dtype=plan.dtype)
    return {
        text: index not in unfitting
        for run, key, samples, unfit in rows
        for unfitting in [set(unfit)]
        for index in samples
        if (text := (names[run], key, index)) in wanted
    }


# What a person asks to be scored, turned into a plan: which model, which texts, after which prompt.

RESPONSES = ("reference_response", "reference_solution", "solution", "rationale", "explanation", "answer")
"""Metadata in which a benchmark keeps the whole of a reference response."""
REFERENCE_LINE = 'One JSON object a line: {"problem": "17", "text": "the whole response"}.'


@dataclass(frozen=True, slots=True)
class TextChoice:
    """Which texts are to be scored."""

    runs: tuple[Run, ...]
    """Runs of one benchmark."""
    benchmark: str
    problems: Collection[int] | None = None
    """Keys of the only problems; None for all."""
    samples: int | None = None
    """The first samples of each problem and run, so many; None for all."""
    references: bool | Mapping[str, str] = False
    """Whether reference responses are scored too; a mapping gives them, by the problem's label."""
    template: str | None = None
    """Prompt template, where the runs' own is not known."""


@dataclass(frozen=True, slots=True)
class LogprobRequest:
    """A plan and what there is to say about it."""

    plan: LogprobPlan
    engine: EngineChoice
    scored_already: int
    """Texts asked for that have a score already, or that another job has promised."""
    remarks: tuple[str, ...]


def plan_logprobs(
    reader: Reader,
    under: str,
    wanted: TextChoice,
    *,
    configuration: Configuration,
    engine: str | None = None,
    options: Mapping[str, Any] | None = None,
    model: str | None = None,
    by_token: bool = False,
    alternatives: int = ALTERNATIVES,
) -> LogprobRequest:
    """Plan scoring under a model; what has its score already is not scored again.

    Args:
        under: a model of the store, or one of its runs, or a model folder.
        engine: its name; the configured one when omitted.
        options: of the engine; the precision is float32 unless `dtype` says otherwise.
        model: where the model lies, or what the engine calls it.
        by_token: whether the scores of the tokens are wanted.
        alternatives: likeliest tokens kept at each place then.

    Raises:
        UsageError: nobody knows where the model lies or what the prompt was, or nothing can be scored.
    """
    scorer, path = find_scorer(reader, under, configuration, model)
    kind, configured = configuration.engine_options(engine or configuration.engine)
    chosen = {**configured, **(options or {})}
    if not ENGINES.load(kind).folders:
        # Which precision it has is the server's affair; the user may know.
        dtype = str(chosen.pop("dtype", ""))
    else:
        path = model_place(path)
        dtype = str(chosen.setdefault("dtype", "float32"))
        if Path(path).is_absolute() and not Path(path).is_dir():
            raise UsageError(f"The model folder {path} does not exist", next_step="Name it with --model PATH.")
    remarks: list[str] = []
    texts = tuple(_texts(reader, wanted, remarks))
    if not texts:
        raise UsageError("There is nothing to score", "\n".join(remarks), "passk runs shows which runs have texts.")
    whole = LogprobPlan(wanted.benchmark, scorer, dtype, texts, by_token, alternatives)
    # Claims first: those of a job that finishes in between are in the store then.
    done = claimed_texts(reader.database.layout, whole)
    plan = without_scored(whole, done | _scored(reader, whole))
    named = model is not None or Path(under).expanduser().is_dir() or path in configuration.models.values()
    choice = EngineChoice(kind, path, chosen, configuration.configured_name(engine), named)
    return LogprobRequest(plan, choice, whole.samples - plan.samples, tuple(remarks))


def find_scorer(reader: Reader, under: str, configuration: Configuration, model: str | None = None) -> tuple[str, str]:
    """Name and place of the model that is meant: one of the store, the model of a run, or a folder.

    Raises:
        UsageError: nobody knows it, or where it lies.
    """
    runs = reader.runs()
    of_run = [run for run in runs if run.name == under]
    known = of_run or [run for run in runs if run.model.name == under]
    if known:
        # Any of its runs may say where the model lies.
        places = (
            model_path(run.model.name, run.parameters, configuration) for run in runs if run.model == known[0].model
        )
        path = model or next((place for place in places if place is not None), None)
        if path is None:
            raise UsageError(
                f"Where is the model {known[0].model.name}?",
                "Its runs were imported, and their files do not say where it lies.",
                f"Say so with --model PATH, or once and for all in {configuration.path} under [models].",
            )
        return known[0].model.name, path
    folder = Path(under).expanduser()
    if folder.is_dir():
        return folder.resolve().name, str(folder.resolve())
    if model is not None or under.count("/") == 1:
        return under, model or under
    names = sorted({run.model.name for run in runs})
    raise UsageError(
        f"There is no model {under}",
        suggestion(under, names, "model"),
        "Name a model of the store, a model folder, or its place with --model PATH.",
    )


def _texts(reader: Reader, wanted: TextChoice, remarks: list[str]) -> Iterator[PlannedTexts]:
    keys = None if wanted.problems is None else sorted(wanted.problems)
    for run in wanted.runs:
        prompts = {} if "template" in run.parameters or wanted.template is not None else given_prompts(reader, run.name)
        template = _template(run, wanted.template, asked=bool(prompts))
        rows = reader.rows("scores/texts_of_run", run_key=run.key, problem_keys=keys)
        own_words = own_statements(reader, reader.database.own_keys(run.key))
        unasked = sum(row[2] is None for row in rows)
        if unasked:
            remarks.append(f"{unasked:,} problems of {run.name} have no statement, so no prompt: left out.")
        if not rows:
            remarks.append(f"{run.name} has no texts of these problems.")
        for key, label, statement, samples in rows:
            if statement is not None:
                chosen = tuple(samples[: wanted.samples])
                prompt = prompts.get(key)
                if prompt is None and template is None:
                    remarks.append(f"The prompt of {label} in {run.name} is not known: left out.")
                    continue
                if prompt is None:
                    prompt = render_prompt(str(template), own_words.get(key) or statement)
                ended = not run.parameters.get("stop")
                for own, indices in _by_own_key(reader, run, key, chosen).items():
                    yield PlannedTexts(run.stored_name, own, label, prompt, indices, ended=ended)
    if wanted.references is not False:
        yield from _references(reader, wanted, keys, remarks)


def _by_own_key(reader: Reader, run: Run, key: int, indices: tuple[int, ...]) -> Mapping[int, tuple[int, ...]]:
    """Samples by the key that they are written under, which only of matched problems is another."""
    own = reader.database.own_keys(run.key).get(key, (key,))
    if len(own) == 1:
        return {own[0]: indices}
    found: dict[int, tuple[int, ...]] = {}
    for index in indices:
        at = reader.database.own_key(run.key, key, index)
        found[at] = (*found.get(at, ()), index)
    return found


def _template(run: Run, given: str | None, *, asked: bool = False) -> str | None:
    """The template of a run; None where there is none but its prompts are known (`asked`)."""
    known = run.parameters.get("template")
    if isinstance(known, str):
        if given is not None and given != known:
            raise UsageError(
                f"{run.name} was sampled with another prompt template",
                f"Its own: {known[:300]}",
                "Leave --template out: a text is scored after the prompt that it was written after.",
            )
        return known
    if given is None and not asked:
        raise UsageError(
            f"The prompt of {run.name} is not known",
            "It was imported, and its files do not hold the prompt; a perplexity depends on it.",
            "If you know it, say so: --template qwen-boxed, abel, plain, chat, or a file with {{ statement }} in it.",
        )
    return given


def _references(
    reader: Reader, wanted: TextChoice, keys: Sequence[int] | None, remarks: list[str]
) -> Iterator[PlannedTexts]:
    """Reference responses, after the prompt of the runs or of the benchmark's runs."""
    candidates = wanted.runs or reader.runs(wanted.benchmark)
    templates = {str(run.parameters["template"]) for run in candidates if "template" in run.parameters}
    if wanted.template is None and len(templates) != 1:
        raise UsageError(
            f"After which prompt are the reference responses of {wanted.benchmark} scored?",
            f"Its runs used {len(templates)} templates." if templates else "No run of it says which it used.",
            "Name a run with --run, or a template with --template.",
        )
    template = wanted.template if wanted.template is not None else templates.pop()
    given = wanted.references if isinstance(wanted.references, Mapping) else None
    missing = 0
    rows = reader.rows("scores/references", benchmark=wanted.benchmark, problem_keys=keys)
    for key, label, statement, metadata in rows:
        text = given.get(label) if given is not None else reference_response(metadata)
        if text is None or statement is None:
            missing += 1
            continue
        prompt = render_prompt(template, statement)
        yield PlannedTexts("", key, label, prompt, (reference_index(text),), text)
    if missing:
        remarks.append(
            f"{missing:,} of {len(rows):,} problems have no reference response, or no statement: left out. A reference "
            "answer alone is no path to it. --references FILE gives responses."
        )


def reference_index(text: str) -> int:
    """The sample index under which a reference response is scored: 31 bits of BLAKE2b of its text.

    So a score is always of the text that it was made of, and a problem may have several reference responses.
    """
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1


def reference_response(metadata: str | None) -> str | None:
    """The whole reference response in a problem's metadata (JSON); None where it holds none."""
    fields = json.loads(metadata) if metadata else {}
    named = {str(name).lower(): value for name, value in fields.items()} if isinstance(fields, dict) else {}
    found = (named.get(name) for name in RESPONSES)
    return next((value for value in found if isinstance(value, str) and value.strip()), None)


def read_references(path: Path) -> dict[str, str]:
    """Reference responses from a file: JSON lines with `problem` (its label) and `text`.

    Raises:
        InputError: not such a file; names the line.
    """
    found: dict[str, str] = {}
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            if line.strip():
                row = json.loads(line)
                if not isinstance(row.get("text"), str) or "problem" not in row:
                    raise InputError(f"{path}, line {number}: no problem and text", next_step=REFERENCE_LINE)
                found[str(row["problem"])] = row["text"]
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{path} cannot be read as reference responses: {error}", next_step=REFERENCE_LINE) from error
    return found


def prepare_logprobs(layout: StoreLayout, request: LogprobRequest) -> Job | None:
    """Write the job of a request; None when other jobs have promised all of it since it was planned.

    Raises:
        StoreError: the store cannot be written.
    """
    with planning_lock(layout):
        plan = without_scored(request.plan, claimed_texts(layout, request.plan))
        return prepare(layout, plan, request.engine) if plan.samples else None
