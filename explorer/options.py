"""Every option that more than one place has, declared once.

The command line makes an argument of a declaration (`explorer.commands.command`), a dialog makes a field of it
(`explorer.widgets.fields`): the same help, check and default. What only one command has stands beside that command.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

from backend import RULES
from backend.errors import UsageError


@dataclass(frozen=True, slots=True)
class Number:
    """Reads a number between two ends; a ValueError says what was expected."""

    kind: type[int] | type[float]
    least: float = -inf
    most: float = inf

    def __call__(self, text: str) -> float:
        try:
            value = self.kind(text)
        except ValueError:
            value = None
        if value is None or not self.least <= value <= self.most or value in (inf, -inf):
            what = "a whole number" if self.kind is int else "a number"
            raise ValueError(f"expected {what}{self._ends()}, not {text}")
        return value

    def _ends(self) -> str:
        if self.most < inf:
            return f" from {self.least:g} to {self.most:g}"
        return f" of {self.least:g} or more" if self.least > -inf else ""


def folder_or_name(text: str) -> str:
    """A folder's whole path, whatever folder a worker or an engine runs in; a name as it is."""
    folder = Path(text).expanduser()
    return str(folder.resolve()) if folder.is_dir() else text


def file_path(text: str) -> Path:
    """The whole path of a file."""
    return Path(text).expanduser().absolute()


@dataclass(frozen=True, slots=True)
class Option:
    """An option: `--max-tokens N`, a flag (`--pool`), or a word without a dash."""

    spelling: str
    help: str
    metavar: str = ""
    """What its value is called; empty for a flag."""
    check: Callable[[str], Any] = str
    """Makes the value of a text; a ValueError says what was expected."""
    choices: tuple[str, ...] = ()
    default: Any = None
    nargs: str | None = None
    """As in argparse; with `?`, an option without a value is the empty text."""
    repeated: bool = False
    required: bool = False
    dest: str = ""
    needs: str = ""
    """The option without which it says nothing."""
    excludes: str = ""
    """The option that it cannot be said with."""

    @property
    def name(self) -> str:
        """As an attribute: `max_tokens`."""
        return self.dest or self.spelling.lstrip("-").replace("-", "_")

    @property
    def takes_value(self) -> bool:
        """Whether a word follows it."""
        return bool(self.metavar or self.choices)

    def but(self, **changes: Any) -> Option:
        """The option with another help, or required."""
        return replace(self, **changes)

    def read(self, text: str) -> Any:
        """The value of what was typed into a field; the default where nothing was.

        Raises:
            UsageError: not what the option takes, in the words of the command line.
        """
        if not text.strip():
            return self.default
        try:
            return self.check(text.strip())
        except ValueError as error:
            raise UsageError(f"{self.name}: {error}") from None


POSITIVE = Number(int, 1)
INDEX = Number(int, 0)

# Which store, which runs, which problems

STORE = Option("--store", "the store folder (default: $PASSK_STORE, else ./store.passk, else the sample store)", "S")
STORE_TO_WRITE = STORE.but(help="the store folder (default: $PASSK_STORE, else ./store.passk)")
BENCHMARK = Option("--benchmark", "look for the runs in this benchmark (default: the only one)", "B")
RUN = Option("--run", "the run", "R", required=True)
RUNS = Option("--run", "only this run; repeatable (default: all)", "R", repeated=True)
BASE = Option("--base", "the base run (default: of the only pair)", "R")
RL = Option("--rl", "the RL run (default: of the only pair)", "R")
PAIR = (BASE, RL, BENCHMARK)
PROBLEM = Option("--problem", "the problem's id", "P", required=True)
PROBLEMS = Option(
    "--problems",
    "only these: level=5, c<3, rl.c>3, rate<0.05, tokens>2000, set:base_only, evidence:rl, guess:RUN<0.05, "
    "verdict:disagree, ids, words",
    "SELECTOR",
    default="",
)
SAMPLE = Option("--sample", "index of the sample", "I", INDEX)
LIMIT = Option("--limit", "at most N samples", "N", POSITIVE)

# How it is printed

FORMAT = Option("--format", "how it is printed", choices=("table", "json", "csv"), default="table")
TABLE_OR_JSON = FORMAT.but(choices=("table", "json"))
TEXT_OR_JSON = FORMAT.but(choices=("text", "json"), default="text")

# What the curves and sets are of

MIN_CORRECT = Option("--min-correct", "correct samples that count as solved", "T", POSITIVE, default=1)
BANDS = Option(
    "--bands",
    "95 % intervals: over problems (others of this kind), or over samples (of these very problems)",
    choices=("problems", "samples"),
)
K = Option("--k", "1,2,4 or all (default: powers of two, and n)", "K")

# More samples, and scoring

COUNT = Option("--n", "samples wanted of each problem; what is there is not drawn", "N", POSITIVE)
ADD = Option("--add", "so many more samples of each problem", "N", POSITIVE)
MODEL = Option("--model", "model folder, or what the engine calls the model", "PATH", folder_or_name)
ENGINE = Option("--engine", "an engine that passk doctor lists, or a name of config.toml", "E")
ENGINE_OPTION = Option("--option", "an option of the engine; repeatable", "A=B", repeated=True)
TEMPERATURE = Option(
    "--temperature", "default: the run's own, else 0.6; another value makes a new run", "T",
    Number(float, 0),
)  # fmt: skip
TOP_P = Option("--top-p", "default: the run's own, else 0.95", "P", Number(float, 0, 1))
MAX_TOKENS = Option("--max-tokens", "default: the run's own, else 16384", "N", POSITIVE)
SAMPLING_PARAMETERS = (TEMPERATURE, TOP_P, MAX_TOKENS)
TEMPLATE = Option("--template", "prompt template by name or file (default: the benchmark's runs')", "T")
POOL = Option("--pool", "add to an imported run although its prompt and parameters are not known to be the same")
SAMPLES = Option("--samples", "only the first N samples of each problem and run", "N", POSITIVE)
TOKENS = Option("--tokens", "keep the log-probability of every token, for the reader's t")
PREPARE = Option("--prepare", "write the job and stop; passk work JOB does it elsewhere", excludes="--wait")
WAIT = Option("--wait", "stay, show progress, fail if the job fails", excludes="--prepare")
WHERE = (PREPARE, WAIT)
AGAIN = Option("--again", "also samples that have a verdict; the new one counts, the earlier is kept beside it")
VERIFIER = Option("--verifier", "default: the benchmark's, else the one that fits its references", "V")


def error_rates(text: str | None) -> str | tuple[float, ...] | None:
    """What `--false-positives` says: rates from 0 to below 1, one for all runs or one for each, or `audit`.

    Raises:
        UsageError: neither.
    """
    if not text or text == "audit":
        return text or None
    try:
        found = tuple(float(word) for word in text.split(","))
    except ValueError:
        found = (1.0,)
    if not all(0 <= rate < 1 for rate in found):
        raise UsageError(
            f"--false-positives {text}: expected a share from 0 to below 1 such as 0.001, one for each run, or audit"
        )
    return found


FALSE_POSITIVES = Option(
    "--false-positives",
    "suppose that this share of the incorrect samples is called correct: what is spurious then, and what is left; "
    "0.001, base and RL apart as 0.001,0.002, or audit: the estimate from what was read",
    "F",
)

# Whose verdicts an audit compares

AUDIT_FIRST = Option(
    "--first",
    "whose verdicts are compared: counting (those that count, but for overrides), imported, overrides, or a verifier, "
    "filter or scorer of that name",
    "NAME",
    default="counting",
)
AUDIT_SECOND = Option("--second", "with whose (default: the only other ones that stand beside both runs)", "NAME")
AUDIT_VERIFIER = Option(
    "--verifier",
    "let this verifier judge both runs before, unless it has; its verdicts stand beside and count nothing",
    "V",
    excludes="--second",
)
AUDIT_BY = Option(
    "--by",
    "what the rows are; json has all but the samples at once",
    choices=("run", "problem", "set", "curve", "sample"),
    default="run",
)

# A language model as judge

VOTES = Option("--votes", "answers asked of each path, each with another seed (default: 3)", "N", POSITIVE)
RULE = Option(
    "--rule",
    "so many votes must call the reasoning sound: any, a majority, all",
    choices=RULES,
    default="majority",
)
JUDGING_MODEL = MODEL.but(help="the model that judges: a folder, or what the server calls it")
RETRY = Option("--retry", "ask once more, with another seed, where an answer cannot be read")
CHAT = Option("--chat", "ask as a chat message: the model's chat template, or a server's /chat/completions")
JUDGE = Option("--judge", "correct for the errors of this judge, by a part of its name (default: who judged most)", "J")
JUDGE_TEMPLATE = Option(
    "--template",
    "file with the prompt's template (default: what passk judgements prompt prints)",
    "FILE",
    file_path,
)

# What changes what is there

YES = Option("--yes", "do not ask")
REASON = Option("--reason", "why; kept with it", "TEXT")

# The model of a run

ROLE = Option("--role", "base, rl, sft, instruct or distill", "R")
FROM_FILE = Option("--from", "csv file with the columns problem, reference", "FILE", file_path, dest="file")
FROM_MODEL = Option("--from-model", "the model that it was trained from", "B")
STEP = Option("--step", "training step", "N", INDEX)
MODEL_NAME = Option("--model", "name of the model", "M")
BENCHMARK_NAME = BENCHMARK.but(help="name of the benchmark")
ALGORITHM = Option("--algorithm", "for example GRPO", "A")
MODEL_PATH = Option("--model-path", "where the model lies", "PATH")
ABOUT_MODEL = (ROLE, FROM_MODEL, STEP, ALGORITHM, MODEL_PATH)
NEW_NAME = Option("name", "its new name", "NAME")

# What a person says of a problem, a verdict or the reasoning

REFERENCE = Option("reference", "the right answer", "REFERENCE", nargs="?")
NEW_VERDICT = Option(
    "verdict",
    "what counts from now on; withdraw takes it back",
    choices=("correct", "wrong", "no_answer", "truncated", "timeout", "error", "withdraw"),
)
WITHDRAW = Option("--withdraw", "take back what you judged of it; that stays in the history", excludes="--judgement")
JUDGED = Option(
    "--with-judgements",
    "with what was judged: sets by valid paths, and how many paths are valid, invalid, unsure",
    dest="judged",
)

# What an import makes of its files

_WHERE = "{} stands in the path: folder, or a pattern with one group, such as '([^/]+)/[^/]+$'"
NAMES_FROM = (
    Option("--model-from", _WHERE.format("where the model's name"), "folder|PATTERN", excludes="--model"),
    Option(
        "--step-from",
        _WHERE.format("where the training step") + " (default: step_100, checkpoint-100 and the like)",
        "folder|PATTERN",
        excludes="--step",
    ),
    Option("--benchmark-from", _WHERE.format("where the benchmark's name"), "folder|PATTERN", excludes="--benchmark"),
)
FILL = Option(
    "--fill", "what is said of model and benchmark holds for files that say none (default: it goes before theirs)"
)
ON_DUPLICATE = Option(
    "--on-duplicate",
    "samples that come twice: keep-last (the later row or verdict counts), error (refuse them), keep-all (each is a "
    "sample of its own); default: equal ones are kept once, different ones refused",
    choices=("keep-last", "error", "keep-all"),
)

REPEATS = Option(
    "--repeats",
    "a question that a file asks again: one problem with more samples, or (separate) a problem of each row, as most "
    "tools count, so that pass@1 equals theirs",
    choices=("together", "separate"),
    default="together",
)
SKIP_BAD_ROWS = Option(
    "--skip-bad-rows", "leave out rows that cannot be read and list them (default: nothing is imported then)"
)

# Files

FILE = Option("--to", "the file; its ending chooses the form", "FILE", nargs="+", required=True)
