"""How surprising each token of a path was to a model: what is painted over the text, and one token in words."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import exp, log

from textual.content import Content

from backend.records.reading import TokenLogprobs
from backend.visible_text import visible_line
from backend.wording import UNKNOWN, count
from explorer.render.perplexity import short_perplexity
from explorer.render.text import VisibleText, join_lines, literal

THRESHOLDS = (2, 5, 10, 20, 50, 100, 1_000, 10_000)
"""A token is surprising where its probability is below one in so many."""
USUAL = 20
SURPRISING = "bold underline red"
UNLIKELY = "underline"
"""Where the model would rather have written something else: below a half, or below the threshold's cube root."""
KEYS = ". , surprises   > < tokens   + - stricter, looser   T other model   t off"
"""Of the reader while surprise is shown."""
MOST_TOKENS_SHOWN = 6
LONGEST_TOKEN = 24

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the text that one token wrote, or the few tokens that one character took."""

    start: int
    end: int
    logprob: float
    """Of all its tokens."""
    token: int
    """Number of the first of them, from 0."""


@dataclass(frozen=True, slots=True)
class SurpriseView:
    """A path's pieces under one model."""

    scores: TokenLogprobs
    pieces: tuple[Piece, ...]

    @classmethod
    def of(cls, scores: TokenLogprobs) -> SurpriseView:
        """Join the tokens that share a character; what follows the text (its end) is a piece without width."""
        pieces: list[Piece] = []
        last = scores.ends[-1] if scores.ends else 0
        start, total, first = 0, 0.0, 0
        for token, (end, logprob) in enumerate(zip(scores.ends, scores.logprobs, strict=True)):
            total += logprob
            if end > start or end == last:
                pieces.append(Piece(start, end, total, first))
                start, total, first = end, 0.0, token + 1
        return cls(scores, tuple(pieces))

    @property
    def perplexity(self) -> float | None:
        """Of the whole path."""
        known = self.scores.logprobs
        return exp(-sum(known) / len(known)) if known else None

    def surprising(self, one_in: int) -> list[int]:
        """Numbers of the surprising pieces."""
        limit = -log(one_in)
        return [number for number, piece in enumerate(self.pieces) if piece.logprob < limit]

    def at(self, position: int) -> int:
        """Number of the piece in which a character stands."""
        return max(bisect_right(self.pieces, position, key=lambda piece: piece.start) - 1, 0)

    def painted(self, shown: VisibleText, one_in: int) -> VisibleText:
        """The text as it is stored, with how surprising each piece was; what a view added behind it stays."""
        limit = -log(one_in)
        unlikely = max(limit / 3, -log(2))
        spans = [
            (piece.start, piece.end, SURPRISING if piece.logprob < limit else UNLIKELY)
            for piece in self.pieces
            if piece.logprob < unlikely and piece.end > piece.start
        ]
        end = self.pieces[-1].end if self.pieces else 0
        return VisibleText(shown.text, (*spans, *(span for span in shown.spans if span[0] >= end)), shown.moves)


@dataclass(slots=True)
class Surprise:
    """What the reader of a path looks at: under which model, from which threshold on, at which token."""

    on: bool = False
    one_in: int = USUAL
    scorer: str | None = None
    """The model looked at; None for the first."""
    views: tuple[SurpriseView, ...] = ()
    """The path under each model, that of the first compared run's model first."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What the models are called."""
    piece: int | None = None
    """Number of the piece looked at; None where none is surprising."""

    def forget(self) -> None:
        """Another path is read."""
        self.views, self.piece = (), None

    def take(self, names: Mapping[str, str], found: Sequence[TokenLogprobs], *, size: int, top: int) -> None:
        """What is stored of a path: of this many characters, of which one reads from `top` on."""
        order = {scorer: number for number, scorer in enumerate(names)}
        ranked = sorted(found, key=lambda scores: order.get(scores.scorer, len(order)))
        views = (SurpriseView.of(scores) for scores in ranked)
        self.names, self.views = names, tuple(view for view in views if pieces_cover(view.pieces, size))
        if self.views and self.piece is None:
            surprising = self.view.surprising(self.one_in)
            first = self.view.at(top)
            self.piece = next((number for number in surprising if number >= first), next(iter(surprising), None))

    @property
    def view(self) -> SurpriseView:
        """The path under the model looked at."""
        return next((view for view in self.views if view.scores.scorer == self.scorer), self.views[0])

    @property
    def stretch(self) -> Span | None:
        """Start and end of the piece looked at."""
        if self.piece is None:
            return None
        piece = self.view.pieces[self.piece]
        return piece.start, piece.end

    def to_surprising(self, by: int) -> bool:
        """To the next (by = 1) or previous surprising piece; False when there is none."""
        return self._to(self.view.surprising(self.one_in), by)

    def to_token(self, by: int) -> bool:
        """To the next or previous piece; False when there is none."""
        return self._to(range(len(self.view.pieces)), by)

    def _to(self, numbers: Sequence[int], by: int) -> bool:
        ahead = [number for number in numbers if self.piece is None or (number - self.piece) * by > 0]
        if ahead:
            self.piece = ahead[0 if by > 0 else -1]
        return bool(ahead)

    def change_threshold(self, by: int) -> None:
        """Stricter (by = 1) or looser."""
        self.one_in = THRESHOLDS[min(max(THRESHOLDS.index(self.one_in) + by, 0), len(THRESHOLDS) - 1)]

    def to_next_model(self) -> None:
        """The same place in the text; another model may have another tokenizer."""
        names = [view.scores.scorer for view in self.views]
        start = 0 if self.stretch is None else self.stretch[0]
        self.scorer = names[(names.index(self.view.scores.scorer) + 1) % len(names)]
        self.piece = self.view.at(start)

    def in_words(self, text: str) -> Content:
        """The path, the piece looked at, the keys."""
        scorer = self.view.scores.scorer
        named = self.names.get(scorer, scorer)
        said = piece_in_words(self.view, self.piece, text, self.one_in)
        return join_lines([summary(self.view, named, self.one_in), said, literal(KEYS, "dim")])


def summary(view: SurpriseView, under: str, one_in: int) -> Content:
    """The whole path on one line."""
    found = len(view.surprising(one_in))
    return literal(
        f"under {under} ({view.scores.dtype or 'precision unknown'}): perplexity {short_perplexity(view.perplexity)}, "
        f"{count(found)} of {count(len(view.scores.logprobs))} tokens with p < {1 / one_in:g}",
        "bold",
    )


def piece_in_words(view: SurpriseView, number: int | None, text: str, one_in: int) -> Content:
    """The piece under the cursor, and the tokens that the model found most likely there."""
    if number is None:
        return literal(f"no token has p < {1 / one_in:g}; - lowers the bar, > steps by token")
    piece = view.pieces[number]
    following = view.pieces[number + 1].token if number + 1 < len(view.pieces) else len(view.scores.logprobs)
    which = f"token {piece.token + 1}" if following - piece.token == 1 else f"tokens {piece.token + 1}–{following}"
    written = quote_token(text[piece.start : piece.end]) if piece.end > piece.start else "end of text"
    said = f"{which} {written}: log-probability {round(piece.logprob, 3) + 0.0:.3f} ({probability(piece.logprob)})"
    return join_lines([literal(said), literal(_instead(view.scores, piece.token))])


def _instead(scores: TokenLogprobs, token: int) -> str:
    if scores.alternatives is None:
        return "alternatives not stored"
    kept = scores.alternatives[token]
    if not kept:
        return "most likely: this token"
    shown = kept[:MOST_TOKENS_SHOWN]
    return "most likely: " + ", ".join(f"{quote_token(text)} {probability(logprob)}" for text, logprob in shown)


def quote_token(text: str) -> str:
    """A token on one line, with signs around it that show its blanks."""
    return f"‹{visible_line(text, LONGEST_TOKEN)}›"


def probability(logprob: float | None) -> str:
    """A probability in percent; very small ones as one in so many."""
    if logprob is None:
        return UNKNOWN
    share = exp(min(logprob, 0.0))
    if share >= 0.001:
        return f"{100 * share:.1f} %"
    return f"1 in {1 / share:,.0f}" if share > 1e-9 else "below 1 in a billion"


def pieces_cover(pieces: Sequence[Piece], size: int) -> bool:
    """Whether the pieces stand side by side over a text of that size; scores of another text do not."""
    joined = all(before.end == after.start for before, after in pairwise(pieces))
    return bool(pieces) and joined and pieces[0].start == 0 and pieces[-1].end == size
