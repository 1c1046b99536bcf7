"""What is to be exported, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

FORMS = {
    "sets": ("csv", "jsonl", "parquet", "md", "tex", "html"),
    "curves": ("svg", "pdf", "csv"),
    "difference": ("svg", "pdf", "csv"),
    "cover": ("svg", "pdf", "csv"),
    "histogram": ("svg", "pdf", "csv"),
    "steps": ("svg", "pdf", "csv"),
    "agreement": ("svg", "pdf", "csv"),
    "paths": ("jsonl", "parquet", "md"),
    "problems": ("jsonl", "parquet", "verl"),
    "datasets": ("folder",),
}
"""What can be exported, and in which forms; the first is the usual one. A form is a file's ending, but for `verl`
(a .parquet of its own columns) and `folder`."""

PURPOSES = {
    "sets": "solve-set comparison of two or more runs, problem by problem",
    "curves": "pass@k curves",
    "difference": "difference of pass@k, RL - base",
    "cover": "Cover@tau",
    "histogram": "accuracy histogram, with the paper's bins",
    "steps": "pass@k against training step",
    "agreement": "maj@k: how often the majority of k answers is right",
    "paths": "samples with their texts and all that is known about them",
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
    verdict: str | None = None
    """For paths: only samples with this verdict."""
    sample: int | None = None
    """For paths: only the sample of this index."""
    limit: int | None = None
    """For paths: at most this many samples of each run and problem."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

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
    """Of the run; the figure's colour and dash follow it."""
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] | None = None
    """Lower end of the band at each x; None when there is none."""
    high: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure before it is drawn: what the svg, the pdf and the csv of its points are made from."""

    kind: str
    x: str
    """What runs along the x axis, as a column is named: k, tau, low, step."""
    y: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    log_x: bool = False
    bars: bool = False
    method: str = ""
    """What the bands are, in words; empty when there are none."""
    x_names: tuple[str, ...] = ()
    """For bars: what stands under each group."""
    notes: tuple[str, ...] = ()
