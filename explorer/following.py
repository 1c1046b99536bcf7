"""The path that the explorer was opened on: what is asked about it, the process that follows it, and what that said."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from textual.content import Content
from textual.message import Message

from backend import FollowedPath, Outlook, Said, look_over, signature_of
from backend.errors import PasskError
from backend.visible_text import visible_line
from backend.wording import with_noun
from explorer.render.text import join_lines, literal

if TYPE_CHECKING:
    from backend import FollowerProcess
    from explorer.app import Explorer

LOOK_AGAIN = 1.0
"""Seconds between two looks at a path where there is nothing to follow yet."""
MOST_LEFT = 200
"""So many files that were left are listed."""
UNRECOGNISED = "not recognised as a result file"


class FollowerTold(Message):
    """An event of the process that follows."""

    def __init__(self, event: dict[str, Any]) -> None:
        super().__init__()
        self.event = event


class LookedOver(Message):
    """What is to be said of the files, or why nothing can be said."""

    def __init__(self, outlook: Outlook | PasskError) -> None:
        super().__init__()
        self.outlook = outlook


class Following:
    """One path that is followed while the explorer is open."""

    def __init__(self, followed: FollowedPath, said: Said) -> None:
        self.followed = followed
        self.said = said
        self.words: list[str] = []
        """What it is followed with."""
        self.left: dict[str, tuple[str, str]] = {}
        """Files that were left: why, and what to do."""
        self.failure: PasskError | None = None
        """Why it is followed no more."""
        self.has_taken = False
        self.state = "looking"
        """looking, waiting (nothing to follow yet), asking, following, ended."""
        self._process: FollowerProcess | None = None
        self._signature: object = None
        self._stopped = Event()
        self.refused: PasskError | None = None
        """Why the file that was named is not read."""
        self._explorer: Explorer | None = None

    @property
    def explorer(self) -> Explorer:
        assert self._explorer is not None
        return self._explorer

    @property
    def path(self) -> Path:
        return self.followed.path

    @property
    def name(self) -> str:
        return visible_line(self.path.name or str(self.path), 40)

    # From being opened to being left

    def begin(self, explorer: Explorer) -> None:
        """Follow as the last time, or see what must be said first."""
        self._explorer = explorer
        if self._process is not None:
            return  # the store was opened again
        before = None if self.said.words else self.followed.said()
        if before is not None:
            self.follow(before)
        else:
            self.look()

    def look(self) -> None:
        """Look the files over, in a thread; a second time when something has changed there."""

        def read() -> None:
            while True:
                began = time.monotonic()
                signature = signature_of(self.path)
                if signature != self._signature:
                    break
                # Where there are many files the look costs more.
                if self._stopped.wait(max(LOOK_AGAIN, 20 * (time.monotonic() - began))):
                    return
            self._signature = signature
            try:
                outlook: Outlook | PasskError = look_over(self.path, self.said, skipped=self.followed.layout.root)
            except PasskError as error:
                outlook = error
            self.explorer.post_message(LookedOver(outlook))

        Thread(target=read, name="look-over", daemon=True).start()

    def looked_over(self, outlook: Outlook | PasskError) -> None:
        """Ask, follow, or wait for files."""
        if isinstance(outlook, PasskError):
            self.state, self.failure = "ended", outlook
            self.explorer.show_error(outlook)
        elif outlook.needs:
            self.ask(outlook)
        elif outlook.files:
            self.follow(self.said.words)
        else:
            self.state = "waiting"
            self.left.clear()
            if outlook.refusal is not None:
                self.left[str(self.path)] = (_without_path(outlook.refusal.title, self.path), outlook.refusal.next_step)
                before, self.refused = self.refused, outlook.refusal
                if str(before) != str(outlook.refusal):
                    self.explorer.show_error(outlook.refusal)
            self.look()
        self.explorer.show_following()

    def ask(self, outlook: Outlook) -> None:
        """The form; leaving it leaves the explorer."""
        from explorer.screens.follow import FollowDialog

        def answered(words: list[str] | None) -> None:
            if words is None:
                self.explorer.exit()
            else:
                self.follow([*self.said.words, *words])

        self.state = "asking"
        why = "" if self.failure is None else str(self.failure)
        self.explorer.push_screen(FollowDialog(self.path, outlook, why), answered)

    def follow(self, words: Sequence[str]) -> None:
        """Start the process that follows."""
        self.words, self.state, self.failure = list(words), "following", None
        self.left.clear()
        try:
            self.followed.keep(words)
            self._process = self.followed.start(words, lambda event: self._tell(event))
        except OSError as error:
            self.state = "ended"
            self.failure = PasskError(f"{self.path} cannot be followed", f"{error.strerror}: {error.filename}")
            self.explorer.show_error(self.failure)
        self.explorer.show_following()

    def _tell(self, event: dict[str, Any]) -> None:
        self.explorer.post_message(FollowerTold(event))

    def told(self, event: dict[str, Any]) -> None:
        """Take in what the process said."""
        kind, path = event.get("event"), str(event.get("path", ""))
        if kind == "taken":
            self.has_taken, self.refused = True, None
            self.left.pop(path, None)
            self.explorer.look_out()
        elif kind == "left":
            reason, step = str(event.get("reason", "")), str(event.get("next_step", ""))
            self.left[path] = (reason, step)
            if path == str(self.path) and not self.has_taken:
                self.explorer.show_error(PasskError(f"{path}: {reason}", next_step=step))
        elif kind == "failed":
            words = [str(event.get(name, "")) for name in ("title", "detail", "next_step")]
            self.failure = PasskError(words[0], words[1], words[2])
        elif kind == "ended":
            self._ended(str(event.get("said", "")))
        self.explorer.show_following()

    def _ended(self, said: str) -> None:
        self.state = "ended"
        if self.failure is None:
            self.failure = PasskError(f"The process that follows {self.path} ended", said, "Open the path again.")
        if not self.has_taken:
            self.followed.forget()
        self.explorer.show_error(self.failure)

    def stop(self) -> None:
        """The explorer ends: so does the process."""
        self._stopped.set()
        if self._process is not None:
            self._process.stop()

    # In words

    def line(self, files: int, samples: int) -> str:
        """What is followed, how much came of it, and what did not, in one line."""
        if self.state == "ended":
            why = self.failure.title if self.failure is not None else ""
            return f"{self.name} is not followed any more: {visible_line(why)}  (w: more)"
        if self.state in ("looking", "asking"):
            return f"looking at {self.name} …"
        words = f"following {self.name}: "
        words += f"{with_noun(files, 'file')}, {with_noun(samples, 'sample')}" if files else "no samples yet"
        return words + self._left_in_words()

    def _left_in_words(self) -> str:
        if not self.left:
            return ""
        # What is wrong with a result file matters more than that something is none.
        path, (reason, _) = min(self.left.items(), key=lambda item: (item[1][0].startswith(UNRECOGNISED), item[0]))
        reason = reason.replace(path, "").strip(" :,")
        name = "" if path == str(self.path) else f"{Path(path).name}: "
        return f"; {len(self.left):,} left (w): {visible_line(f'{name}{reason}')}"

    def details(self, files: int, samples: int) -> Content:
        """Everything about it."""
        lines: list[str | Content] = [
            literal(str(self.path), "bold"),
            f"{with_noun(files, 'file')}, {with_noun(samples, 'sample')} taken into {self.followed.layout.root}",
        ]
        if self.words:
            lines.append(f"said of its files: {shlex.join(self.words)}")
        lines.append(f"to say it otherwise: passk {shlex.quote(str(self.path))} --model NAME --role R --benchmark NAME")
        if self.failure is not None and self.state == "ended":
            lines += ["", literal("not followed any more", "bold"), str(self.failure)]
        if self.left:
            lines += ["", literal(f"{with_noun(len(self.left), 'file')} left", "bold")]
        for path, (reason, step) in sorted(self.left.items())[:MOST_LEFT]:
            shown = Path(path)
            shown = shown.relative_to(self.path) if shown != self.path and shown.is_relative_to(self.path) else shown
            lines.append(f"{shown}: {reason.replace(path, '').strip(' :,')}")
            lines += [f"  {line}" for line in step.splitlines()]
        if len(self.left) > MOST_LEFT:
            lines.append(f"and {len(self.left) - MOST_LEFT:,} more")
        return join_lines(lines)


def _without_path(title: str, path: Path) -> str:
    return title.removeprefix(f"{path}: ")
