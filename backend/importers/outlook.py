"""What must be said of result files before they can be imported, found out from their beginnings, and suggestions.

Nothing is imported and no file is read to its end where its beginning tells. A suggestion is what names of files and
folders look like; whoever is asked sees it and says yes to it, or something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path

from backend.errors import InputError, PasskError
from backend.importers.discovery import find_files, importer_for, not_recognised
from backend.importers.file_names import FOLDER, SAME_RUN, TOKEN, step_in_names, telling_words
from backend.importers.growing import StretchSource
from backend.importers.protocol import Importer, Notes, Options, RunFacts, unexpected
from backend.importers.run_spec import RunOptions
from backend.importers.source import SourceFile, compression_of

LOOKED_AT = 64
"""So many files of a folder are looked into: the first and the last."""
BEGINNING = 1 << 18
"""So many bytes of a file of JSON lines are read."""
FILE_NAME = r"([^/]+?)(?:\.(?:jsonl?|csv|tsv|parquet|eval|txt|raw|gz|zst))*$"
"""For --model-from: the name of a file without its endings."""
ENDINGS = re.compile(r"(?:\.(?:jsonl?|csv|tsv|parquet|eval|txt|raw|gz|zst))+$", re.IGNORECASE)
PARTS = 3
"""So many folders above a file are taken into account."""
TRAINING = ("verl", "trl", "nemo-gym", "skyrl", "rllm", "tinker")
"""Formats of rollouts of a training: their samples are an RL model's."""

_BENCHMARKS = (
    r"aime[-_ ]?(?:20)?(?:2[3-9])?(?:[-_]i{1,2})?|math[-_]?500|math[-_]?lvl[-_]?5|hendrycks[-_]?math"
    r"|minerva(?:[-_]?math)?|olympiad[-_]?bench|amc[-_]?(?:20)?2[3-5]|amc|gsm[-_]?(?:8k|1k|plus|symbolic|hard)|svamp|asdiv|mawps|math[-_]?qa"
    r"|gpqa(?:[-_]?(?:diamond|main|extended))?|mmlu(?:[-_]?(?:pro|redux|stem))?|bbh|arc[-_]?(?:challenge|easy|c|e)"
    r"|human[-_]?eval(?:plus|\+)?|mbpp(?:plus|\+)?|live[-_]?code[-_]?bench|lcb|big[-_]?code[-_]?bench|apps|codeforces"
    r"|if[-_]?eval|countdown|deepscaler|dapo[-_]?math|hmmt[-_]?\d*|brumo|zebra[-_]?logic|theorem[-_]?qa|math"
)
BENCHMARK = re.compile(rf"(?<![a-z0-9])(?:{_BENCHMARKS})(?![a-z0-9])", re.IGNORECASE)
_FAMILIES = (
    "qwen|qwq|llama|mistral|mixtral|ministral|gemma|phi|deepseek|olmo|smollm|pythia|falcon|internlm|granite|nemotron|"
    "gpt|claude|gemini|o1|o3|o4|codellama|starcoder|tulu|yi|glm|kimi|minimax|skywork|acereason|oat|simplerl|eurus|"
    "openthinker|dapo|oreal|policy|actor"
)
MODEL = re.compile(rf"(?<![a-z])(?:{_FAMILIES})(?![a-z])", re.IGNORECASE)
ROLE_WORDS = (
    ("distill", re.compile(r"distil", re.IGNORECASE)),
    ("rl", re.compile(r"(?<![a-z])(?:rl|rlvr|rlhf|grpo|ppo|dapo|rloo|reinforce|rft|zero|gspo|drgrpo)(?![a-z])", re.I)),
    ("base", re.compile(r"(?<![a-z])(?:base|pretrained|pt)(?![a-z])", re.IGNORECASE)),
    ("sft", re.compile(r"(?<![a-z])sft(?![a-z])", re.IGNORECASE)),
    ("instruct", re.compile(r"(?<![a-z])(?:instruct|chat|it)(?![a-z])", re.IGNORECASE)),
)
"""Role -> how names say it, the surest first."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the user said of results beforehand."""

    words: Sequence[str] = ()
    """As it was said: options of `passk import`."""
    run_options: RunOptions = field(default_factory=RunOptions)
    options: Options = field(default_factory=Options)
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to be said of files before they can be imported."""

    files: int
    """Files that an importer recognises, among those that were looked at."""
    lacking: int
    """Of these, the files that do not say everything."""
    formats: tuple[str, ...]
    """Of what must be asked about; of all where nothing must."""
    needs: tuple[str, ...]
    """Of model and benchmark, what some files do not say, nor the user; empty when they can be imported as they are."""
    several: str
    """Where their names may say several models, as in `MODEL_FROM`; empty where they look like one."""
    model: str
    """What their names suggest; empty where they suggest nothing."""
    benchmark: str
    role: str
    refusal: PasskError | None = None
    """Why the file that was named cannot be read; with what its owner can do."""


def look_over(
    path: Path,
    said: Said,
    *,
    skipped: Path | None = None,
) -> Outlook:
    """What must be said of a file or of those of a folder, as far as their beginnings tell.

    Args:
        skipped: a folder that is not looked into: the store.

    Raises:
        PasskError: the path does not exist, or an option cannot be right.
    """
    run_options, options = said.run_options, said.options
    every = [entry for entry in find_files([path]) if skipped is None or not entry[0].is_relative_to(skipped)]
    some = every if len(every) <= LOOKED_AT else [*every[: LOOKED_AT // 2], *every[-LOOKED_AT // 2 :]]
    found: list[Path] = []
    formats: dict[str, bool] = {}
    asked_about: list[Path] = []
    lacking: dict[str, None] = {}
    unnamed: list[Path] = []
    refusal: PasskError | None = None
    for file, named in some:
        source = SourceFile(file, select=options.select)
        try:
            importer = importer_for(source, options, said.format)
            if importer is None and named and source.head.strip():
                refusal = not_recognised(source)
        except InputError as error:
            importer, refusal = None, error if named else None
        except OSError as error:
            importer, refusal = None, InputError(f"{file}: {error.strerror}") if named else None
        if importer is None:
            continue
        try:
            facts = _first_facts(file, importer, options)
        except PasskError as error:
            # What is wrong with a file of a folder is told when it is imported.
            refusal = error if named else None
            continue
        found.append(file)
        facts = run_options.names.facts_of(file)(facts)
        known = {"model": run_options.model or facts.model or run_options.run}
        known["benchmark"] = run_options.benchmark or facts.benchmark
        missing = [name for name, value in known.items() if not value]
        formats.setdefault(importer.name, False)
        if missing:
            formats[importer.name] = True
            lacking.update(dict.fromkeys(missing))
            asked_about.append(file)
        if "model" in missing:
            unnamed.append(file)
    several = "" if run_options.pooled else _where_several(unnamed)
    names, inside = _names(path, asked_about)
    of = tuple(name for name, asked in formats.items() if asked or not asked_about)
    return Outlook(
        files=len(found),
        lacking=len(asked_about),
        formats=of,
        needs=tuple(name for name in ("model", "benchmark") if name in lacking),
        several=several,
        model=_model_in(names, inside),
        benchmark=_benchmark_in(names),
        role=_role_in(names) or ("rl" if of and all(name in TRAINING for name in of) else ""),
        refusal=refusal,
    )


def _first_facts(path: Path, importer: Importer, options: Options) -> RunFacts:
    """What a file says of the run of its first samples. Raises PasskError: these cannot be read."""
    source: SourceFile = SourceFile(path, correct_at=options.correct_at, select=options.select)
    try:
        if source.first_object is not None and options.select is None and compression_of(path) is None:
            end = source.head.rfind(b"\n", 0, BEGINNING) + 1
            if end:
                source = StretchSource(path, correct_at=options.correct_at, end=end)
        for item in islice(importer.read(source, options, Notes()), 1):
            return item.facts
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except PasskError:
        raise
    except Exception as error:
        raise unexpected(source, importer.name, error) from error
    return RunFacts()


def _where_several(files: Sequence[Path]) -> str:
    """Where names say that files are of several models: in their own names, or in those of their folders."""
    apart = [pair for pair in pairwise(files) if telling_words(*pair)]
    if not apart:
        return ""
    return FOLDER if any(one.parent != other.parent for one, other in apart) else FILE_NAME


def _names(path: Path, files: Sequence[Path]) -> tuple[list[str], int]:
    """The names that may tell something, the nearest first; and how many of them are the path's own or below it."""
    lowest = files[0] if len(files) == 1 else path
    inside = [lowest, *(folder for folder in lowest.parents if folder.is_relative_to(path))]
    above = [folder for folder in path.resolve().parents if folder.name][:PARTS]
    own = [ENDINGS.sub("", one.name) if one.is_file() else one.name for one in inside]
    # What is named after a step names no model.
    return [*own, *(folder.name for folder in above if step_in_names(folder / "x") is None)], len(own)


def _benchmark_in(names: Iterable[str]) -> str:
    for name in names:
        found = BENCHMARK.findall(name)
        if found:
            return str(max(found, key=len))
    return ""


def _model_in(names: Sequence[str], nearest: int) -> str:
    """A name that looks like a model's; else one of the nearest that says anything; without the benchmark in it."""
    bare = [re.sub(r"([-_. ])[-_. ]+", r"\1", BENCHMARK.sub("", name)).strip("-_. ") for name in names]
    for name in bare:
        if MODEL.search(name):
            return name
    for name in bare[:nearest]:
        if any(len(word) > 1 and not word.isdigit() and word.lower() not in SAME_RUN for word in TOKEN.findall(name)):
            return name
    return ""


def _role_in(names: Sequence[str]) -> str:
    for name in names:
        for role, pattern in ROLE_WORDS:
            if pattern.search(name):
                return role
    return ""


MODEL_FROM = {"the same for all files": "", "each file's folder": FOLDER, "each file's name": FILE_NAME}
"""Where the model's name stands, in words, and as --model-from has it."""
