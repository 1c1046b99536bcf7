"""Token surprise over the text of a path: which tokens a model did not expect, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Static

from backend import Reader, token_scores
from backend.records import Path
from explorer.render.literal import literal
from explorer.render.names import contrast
from explorer.render.shown import Shown
from explorer.render.summaries import lines
from explorer.render.surprise import KEYS, SurpriseView, covers, other_threshold, piece_in_words, step, summary
from explorer.screens.base import DataScreen
from explorer.widgets.text_view import TextView

if TYPE_CHECKING:
    from textual.content import Content

USUAL = 20

Views = tuple[dict[str, str], tuple[SurpriseView, ...]]
"""What each model is called, and the views of the path, that of the first compared run's model first."""


class SurpriseScreen(DataScreen):
    """The part of the Path screen that `t` switches on; a subclass calls `follow` with every path that it shows."""

    def reset(self) -> None:
        """Nothing is painted over; called before the first path is shown."""
        self.surprise_on = False
        self.one_in = USUAL
        self.scorer: str | None = None
        self.surprises: tuple[SurpriseView, ...] = ()
        self.model_words: dict[str, str] = {}
        self.piece: int | None = None
        self._path: Path | None = None
        self._shown: Shown | None = None

    def follow(self, path: Path, shown: Shown) -> None:
        """The screen shows this path, as it is stored where surprise is on."""
        other = self._path is None or (self._path.run.key, self._path.sample) != (path.run.key, path.sample)
        self._path, self._shown = path, shown
        if other:
            self.surprises, self.piece = (), None
        if self.surprise_on:
            self._ask_tokens()

    def _ask_tokens(self) -> None:
        path, place = self._path, self.place
        if path is None:
            return

        def read(reader: Reader) -> Views:
            runs = [reader.run(name) for name in place.runs]
            words = dict(zip((run.model.name for run in runs), contrast(runs), strict=True))
            found = token_scores(reader, path.run, path.problem_key, path.sample.index)
            order = {scorer: number for number, scorer in enumerate(words)}
            ranked = sorted(found, key=lambda scores: order.get(scores.scorer, len(order)))
            views = tuple(SurpriseView.of(scores) for scores in ranked)
            return words, tuple(view for view in views if covers(view.pieces, len(path.text or "")))

        self.ask("tokens", read, self._show_tokens)

    def _show_tokens(self, answer: Views) -> None:
        self.model_words, self.surprises = answer
        if not self.surprises:
            self._refuse_tokens()
            return
        text = self.query_one(TextView)
        if self.piece is None:
            top = self.under.at(text.first_stored)
            surprising = self.under.surprising(self.one_in)
            self.piece = next((number for number in surprising if number >= top), next(iter(surprising), None))
        self._paint()

    def _refuse_tokens(self) -> None:
        path = self._path
        self.hide_surprise()
        if path is not None:
            command = f"passk score --run {path.run.name} --under MODEL --problems id={path.problem_label} --tokens"
            self.refuse("No token scores are stored for this path", f"{command} (or P, then s and ctrl+t)")

    @property
    def under(self) -> SurpriseView:
        """The path under the model looked at."""
        return next((view for view in self.surprises if view.scores.scorer == self.scorer), self.surprises[0])

    def _paint(self) -> None:
        """The text with its surprises, the piece under the cursor pointed out and in words."""
        assert self._path is not None and self._shown is not None
        text, stored = self.query_one(TextView), self._path.text or ""
        text.show(stored, self._marked(), self.under.painted(self._shown, self.one_in), keep=True)
        self._say_piece()

    def _marked(self) -> tuple[int, int] | None:
        if self.piece is None:
            return None
        piece = self.under.pieces[self.piece]
        return piece.start, piece.end

    def _say_piece(self) -> None:
        assert self._path is not None
        scorer = self.under.scores.scorer
        words: Content = lines(
            [
                summary(self.under, self.model_words.get(scorer, scorer), self.one_in),
                piece_in_words(self.under, self.piece, self._path.text or ""),
                literal(KEYS, "dim"),
            ]
        )
        told = self.query_one("#surprise", Static)
        told.update(words)
        told.display = True

    def hide_surprise(self) -> None:
        """The text as it was."""
        if not self.surprise_on:
            return
        self.surprise_on = False
        self.query_one("#surprise", Static).display = False
        if self._path is not None and self._shown is not None:
            self.query_one(TextView).show(self._path.text or "", self._path.answer_span, self._shown, keep=True)

    def _move_to(self, number: int | None, what: str) -> None:
        if number is None:
            self.refuse(f"No further {what} in that direction")
            return
        self.piece = number
        text = self.query_one(TextView)
        text.mark = self._marked()
        text.reveal_mark()
        self._say_piece()

    @property
    def _is_ready(self) -> bool:
        if not (self.surprise_on and self.surprises):
            self.refuse("t shows the surprise of tokens first")
        return self.surprise_on and bool(self.surprises)

    # Keys

    def action_surprise(self) -> None:
        """On or off."""
        if self.surprise_on:
            self.hide_surprise()
            return
        if self._path is None or self._path.text is None:
            self.refuse("No text is stored for this sample")
            return
        self.surprise_on = True
        self.show_raw()

    def show_raw(self) -> None:
        """Show the text as it is stored, since tokens are of that, and `follow`."""
        raise NotImplementedError

    def action_surprising(self, by: int) -> None:
        """The next or previous surprising token."""
        if self._is_ready:
            self._move_to(step(self.under.surprising(self.one_in), self.piece, by), "surprising token")

    def action_token(self, by: int) -> None:
        """The next or previous token."""
        if self._is_ready:
            self._move_to(step(range(len(self.under.pieces)), self.piece, by), "token")

    def action_threshold(self, by: int) -> None:
        """What counts as surprising."""
        if self._is_ready:
            self.one_in = other_threshold(self.one_in, by)
            self._paint()

    def action_scorer(self) -> None:
        """Under the next model."""
        if self._is_ready:
            names = [view.scores.scorer for view in self.surprises]
            if len(names) < 2:
                self.refuse("Scores of these tokens are stored under one model only")
                return
            at = self.under.pieces[self.piece].start if self.piece is not None else 0
            self.scorer = names[(names.index(self.under.scores.scorer) + 1) % len(names)]
            # Another model may have another tokenizer.
            self.piece = self.under.at(at)
            self._paint()
