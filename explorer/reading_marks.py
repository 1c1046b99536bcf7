"""What this user has read and bookmarked: a file in the user's state folder, one for each name of a store.

It is the reader's own and no part of the store, which others share and which may be read-only. Lines are only ever
added, so that several explorers at once lose nothing.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backend.errors import StoreError


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A location to come back to."""

    line: str
    """The permalink."""
    title: str
    created: str
    """UTC, ISO 8601."""


def marks_path(store_name: str) -> Path:
    """The file of the stores of this name."""
    from platformdirs import user_state_path

    return user_state_path("passk", appauthor=False) / f"{store_name}.jsonl"


class ReadingMarks:
    """Seen paths and bookmarks of one store. Read when first asked for; a damaged line is passed over."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: dict[tuple[int, int], set[int]] | None = None
        self._bookmarks: dict[str, Bookmark] = {}

    def seen(self, run_key: int, problem_key: int) -> frozenset[int]:
        return frozenset(self._read().get((run_key, problem_key), ()))

    def see(self, run_key: int, problem_key: int, sample: int) -> None:
        """A path is being read. Raises StoreError: the file cannot be written."""
        of_problem = self._read().setdefault((run_key, problem_key), set())
        if sample not in of_problem:
            self._add({"seen": [run_key, problem_key, sample]})
            of_problem.add(sample)

    @property
    def bookmarks(self) -> tuple[Bookmark, ...]:
        """The bookmarks, the newest first."""
        self._read()
        return tuple(reversed(self._bookmarks.values()))

    def toggle_bookmark(self, line: str, title: str) -> bool:
        """Set a bookmark or take it away; True when it is set now. Raises like `see`."""
        self._read()
        if line in self._bookmarks:
            self._add({"without": line})
            del self._bookmarks[line]
            return False
        mark = Bookmark(line, title, datetime.now(UTC).isoformat(timespec="seconds"))
        self._add({"bookmark": line, "title": title, "created": mark.created})
        self._bookmarks[line] = mark
        return True

    def _read(self) -> dict[tuple[int, int], set[int]]:
        if self._seen is not None:
            return self._seen
        self._seen = {}
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return self._seen
        for line in lines:
            try:
                self._take(json.loads(line))
            except (ValueError, TypeError, KeyError):
                continue
        return self._seen

    def _take(self, entry: dict[str, object]) -> None:
        assert self._seen is not None
        match entry:
            case {"seen": [int(run), int(problem), int(sample)]}:
                self._seen.setdefault((run, problem), set()).add(sample)
            case {"bookmark": str(line), "title": str(title), "created": str(created)}:
                self._bookmarks[line] = Bookmark(line, title, created)
            case {"without": str(line)}:
                self._bookmarks.pop(line, None)

    def _add(self, entry: dict[str, object]) -> None:
        data = (json.dumps(entry) + "\n").encode()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, data)
            finally:
                os.close(handle)
        except OSError as error:
            raise StoreError(
                "What you read and bookmark cannot be kept",
                f"{error.strerror}: {self.path}",
                "Make room there, or set XDG_STATE_HOME to a folder that you can write to.",
            ) from error
