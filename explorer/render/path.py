"""One sample: the heading of the reader, its details, and the views of its text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from textual.content import Content

from backend.records import Page, Response, Sample
from backend.records.samples import GivenVerdict
from backend.visible_text import visible, visible_line
from backend.wording import UNKNOWN, count, run_label
from explorer.render.names import OVERRIDDEN, VERDICT_STYLES, sample_verdict
from explorer.render.summaries import model_in_words, parameters_in_words
from explorer.render.text import SPECIAL, SPECIAL_STYLE, VisibleText, join_lines, join_words, literal, to_visible

# One sample in words: the heading of the reader and all its details.


def _known(value: object) -> str:
    return UNKNOWN if value is None else str(value)


def path_heading(path: Response, samples: Page[Sample], verdicts: Sequence[GivenVerdict] = ()) -> Content:
    """Verdict, run and place in the run on one line; answer, length and origin on the next; then an override."""
    sample = path.sample
    at = next((i for i, other in enumerate(samples.items, 1) if other.index == sample.index), None)
    answer = "no answer extracted" if sample.answer is None else f"answer: {_short(sample.answer)}"
    if sample.answer is not None and path.text is not None and path.answer_span is None:
        answer += " (not in the text)"
    size = [f"{count(sample.tokens)} tokens"] if sample.tokens is not None else ["tokens unknown"]
    if sample.characters is not None:
        size.append(f"{count(sample.characters)} characters")
    return join_lines(
        [
            join_words(
                [
                    literal(
                        sample_verdict(sample),
                        VERDICT_STYLES.get(sample.verdict, "bold"),
                    ),
                    literal(run_label(path.run), "bold"),
                    literal(f"sample {_known(at)} of {count(samples.total)}"),
                    literal(answer),
                ]
            ),
            literal(
                f"{', '.join(size)}  finish: {_known(sample.finish_reason)}  seed {_known(sample.seed)}  "
                f"{_source(sample)}",
                "dim",
            ),
            *overridden_in_words(verdicts),
        ]
    )


def overridden_in_words(verdicts: Sequence[GivenVerdict]) -> list[Content]:
    """What a person put in the place of which verdict, who, when and why; empty where nobody did."""
    said = next((given for given in verdicts if given.by_person and given.used), None)
    if said is None:
        return []
    before = next((given.verdict for given in verdicts if given.counts_without), None)
    change = f"{_known(before)} → {_known(said.verdict)}".replace("_", " ")
    when = f", {said.created:%Y-%m-%d %H:%M} UTC" if said.created else ""
    return [
        join_words(
            [
                literal(f"{OVERRIDDEN} verdict overridden: {change}", "bold"),
                literal(f"{visible_line(_known(said.verifier), 40)}{when}", "dim"),
                literal(visible_line(said.detail or "", 200)),
            ]
        )
    ]


def _origin(sample: Sample) -> str:
    """The file and row that it was imported from, or what sampled and verified it."""
    if sample.source is None:
        return "origin unknown"
    if sample.source_row is None:
        return f"sampled by {sample.source}"
    return f"imported by {_known(sample.format)} from {sample.source}, row {sample.source_row}"


def _source(sample: Sample) -> str:
    """The origin in a few characters."""
    if sample.source is None:
        return "origin unknown"
    if sample.source_row is None:
        return "sampled here"
    return f"{sample.source.rsplit('/', 1)[-1]}:{_known(sample.source_row)}"


def _short(answer: str) -> str:
    flat = answer.replace("\n", " ")
    return flat if len(flat) <= 40 else f"{flat[:39]}…"


def given_verdicts(verdicts: Sequence[GivenVerdict]) -> list[str]:
    """A line for every verdict on a sample: who gave it, when, and which of them counts."""
    said = []
    for given in verdicts:
        who = "from its source" if given.verifier is None else f"by {given.verifier}"
        version = f" {given.version}" if given.version else ""
        when = f" on {given.created:%Y-%m-%d}" if given.created else ""
        counts = "counts" if given.used else "does not count"
        answer = "" if given.answer is None else f", answer {_short(given.answer)}"
        detail = f": {given.detail}" if given.detail else ""
        if given.by_person:
            what = "override withdrawn" if given.verdict is None else f"overridden to {given.verdict.replace('_', ' ')}"
            said.append(f"verdict {what} by {given.verifier}{when} ({counts}){detail}")
            continue
        verdict = (given.verdict or UNKNOWN).replace("_", " ")
        said.append(f"verdict {verdict} {who}{version}{when} ({counts}){answer}{detail}")
    return said


def path_details(path: Response, verdicts: Sequence[GivenVerdict]) -> Content:
    """Everything that is known about the sample."""
    sample = path.sample
    return join_lines(
        [
            f"run {path.run.name}: {model_in_words(path.run)}; {parameters_in_words(path.run)}",
            f"problem {path.problem_label}, sample index {sample.index}, seed {_known(sample.seed)}, "
            f"log-probability {_known(sample.logprob_sum)}",
            *given_verdicts(verdicts),
            _origin(sample),
        ]
    )


# The views of a path: raw, as it is stored, and a reading view. Special tokens and a cut end are seen in both.
# Another view is one more entry of `VIEWS`; what it adds or replaces must carry a sign.

PathView = Callable[[Response], VisibleText]

CUT_OFF = "⏹ cut off here"


def raw_view(path: Response) -> VisibleText:
    """Exactly what is stored."""
    if path.text is None:
        return to_visible("No text is stored for this sample.")
    text = path.text
    spans = [(found.start(), found.end(), SPECIAL_STYLE) for found in SPECIAL.finditer(text)]
    return with_end(path, VisibleText(visible(text), tuple(spans)))


def reading_view(path: Response) -> VisibleText:
    """LaTeX as Unicode, code in colours, Markdown's structure."""
    from explorer.render.reading_view import readable

    return raw_view(path) if path.text is None else with_end(path, readable(path.text, path.answer_span))


VIEWS: Mapping[str, PathView] = {"raw": raw_view, "reading": reading_view}
"""In the order of the key."""


def with_end(path: Response, shown: VisibleText) -> VisibleText:
    """Say at its end that a text was cut off."""
    reason = path.sample.finish_reason
    if path.sample.verdict != "truncated" and reason not in ("length", "max_tokens"):
        return shown
    sign = f"{CUT_OFF} (finish: {visible(reason).replace(chr(10), ' ')})" if reason else CUT_OFF
    start = len(shown.text) + 1
    return VisibleText(
        f"{shown.text}\n{sign}",
        (*shown.spans, (start, start + len(sign), "reverse")),
        # Behind the last character nothing more is stored.
        (*shown.moves, (len(path.text or ""), len(shown.text))),
    )
