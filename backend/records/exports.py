"""What is to be exported, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from backend.records.table import Table

FIGURES = {
    "curves": "pass@k curves",
    "difference": "difference of pass@k, RL - base",
    "cover": "Cover@tau",
    "cot": "CoT-pass@k (valid paths only) beside pass@k",
    "histogram": "accuracy histogram, with the paper's bins",
    "efficiency": "pass@1, pass@k and Delta_SE of every run",
    "steps": "pass@k against training step",
    "temperature": "pass@k against temperature; entropies in the csv",
    "lengths": "response lengths, correct and other samples apart",
    "agreement": "maj@k: how often the majority of k answers is correct",
    "verdicts": "shares of verdicts",
    "perplexity": "perplexities of the responses under every model that scored them",
}
"""What can be drawn, in words."""

FORMS: dict[str, tuple[str, ...]] = {
    "sets": ("csv", "jsonl", "parquet", "md", "tex", "html"),
    "audit": ("csv", "jsonl", "parquet"),
    **{figure: ("svg", "pdf", "csv") for figure in FIGURES},
    "paths": ("jsonl", "parquet", "md"),
    "judges": ("csv", "jsonl", "parquet"),
    "problems": ("jsonl", "parquet", "verl"),
    "datasets": ("folder",),
}
"""What can be exported, and in which forms; the first is the usual one. A form is a file's ending, but for `verl`
(a .parquet of its own columns) and `folder`."""

PURPOSES = {
    "sets": "solve-set comparison of two or more runs, problem by problem",
    "audit": "where two verifiers disagree on two runs, problem by problem",
    **FIGURES,
    "paths": "samples with their texts and all that is known about them",
    "judges": "judges of reasoning beside people and each other: agreement, precision, recall, kappa",
    "problems": "problems as a training or evaluation file",
    "datasets": "a folder that load_dataset reads: samples, problems, counts, a card",
}
"""In words, as help and dialog show them."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """One export. The same request on the same store writes the same bytes, whoever asks."""

    what: str
    """A key of `FORMS`."""
    form: str
    runs: tuple[str, ...]
    """Names of the runs, base first."""
    problems: str = ""
    """Selector of the problems; empty for all."""
    min_correct: int = 1
    """For sets: correct samples from which on a problem counts as solved."""
    bands: str = "problems"
    """For figures: whose chance the bands show, `problems` or `samples`, or `off`."""
    false_positives: str | tuple[float, ...] | None = None
    """For sets: the share of incorrect samples that is supposed to be called correct, for all runs or for each; or
    `audit`, the estimate from what was read."""
    first: str | None = None
    """For an audit: whose verdicts are compared; None for those that count."""
    second: str | None = None
    """For an audit: with whose; None for the only other ones."""
    verdict: str | None = None
    """For paths: only samples with this verdict. For perplexity: only `right` or only `not-right` samples."""
    sample: int | None = None
    """For paths: only the sample of this index."""
    limit: int | None = None
    """For paths: at most this many samples of each run and problem."""
    judged: bool = False
    """For sets, problems and data sets: with what was judged of the reasoning; without it no judgement changes them."""
    find: str | None = None
    """For paths: only samples in whose text this is found, as `passk search` reads it."""


@dataclass(frozen=True, slots=True)
class Exported:
    path: str
    rows: int
    """Problems, points or samples."""
    what: str
    """What the rows are: problems, points, samples."""
    bytes: int
    notes: tuple[str, ...] = ()
    """What was left out, and other things to know."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line or one group of bars of a figure."""

    name: str
    role: str | None
    """Of the run; the dash of a line follows it."""
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] | None = None
    """Lower end of the band at each x; None when there is none."""
    high: tuple[float, ...] | None = None
    of: str = ""
    """What it is a figure of, for the legend: n = 256."""
    style_index: int | None = None
    """Index of its colour and marker; None for its place among the series."""
    style: str = ""
    """`dotted`, for what stands beside a line of the same look; empty for what its role says."""


@dataclass(frozen=True, slots=True)
class Box:
    group: str
    """What stands under it and its neighbours."""
    name: str
    """What the legend calls it."""
    quantiles: tuple[float, ...]
    """5, 25, 50, 75 and 95 %."""
    of: str
    """What it is a box of, which stands over it: n = 256."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure before it is drawn: what the svg, the pdf and the csv of its points are made from."""

    kind: str
    x: str
    """What runs along the x axis, as a column is named: k, tau, bin, step."""
    y: str
    x_label: str
    y_label: str
    series: tuple[Series, ...] = ()
    log_x: bool = False
    bars: bool = False
    method: str = ""
    """What the bands are, in words; empty when there are none."""
    band: str = ""
    """The same for the legend, in a few words."""
    x_names: tuple[str, ...] = ()
    """For bars: what stands under each group."""
    over: tuple[str, ...] = ()
    """For bars: what stands over each group, if anything."""
    over_words: str = ""
    """What that is."""
    bins: bool = False
    """For lines: whether each point is a bin."""
    boxes: tuple[Box, ...] = ()
    table: Table | None = None
    """The csv, where it is not the points of the series."""
    title: str = ""
    """The benchmark, how many problems, and on a second line which."""
    notes: tuple[str, ...] = ()
