"""Errors that a person reads. Each says what is wrong, where, and what to do next."""

from __future__ import annotations


class PasskError(Exception):
    """An expected failure: shown with its title, its detail and a next step, never as a traceback."""

    def __init__(self, title: str, detail: str = "", next_step: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.detail = detail
        self.next_step = next_step

    def __str__(self) -> str:
        return "\n".join(part for part in (self.title, self.detail, self.next_step) if part)


class StoreError(PasskError):
    """The store cannot be opened, is too new, or a part of it is damaged."""


class StoreAway(StoreError):
    """The folder of a store that is open was moved, renamed or unmounted; it may come back."""


class StoreReplaced(StoreError):
    """Another store lies where the one lay that is open: it must be opened anew."""


class InputError(PasskError):
    """A file to import, or a value in it, is not what was expected."""

    row: int | None = None
    """The line or row that is wrong, where it is one."""


class UsageError(PasskError):
    """The user asked for something that does not exist or cannot be: a run, a problem, an option."""


class AlreadyThere(UsageError):
    """A file of that name is there, and it was not said to overwrite it."""


class Cancelled(PasskError):
    """A query was interrupted because its answer is no longer wanted."""


def suggestion(wanted: str, known: list[str], what: str) -> str:
    """A next step for a name that does not exist: the nearest names, or all of them."""
    from difflib import get_close_matches

    if not known:
        return f"There is no {what} here yet."
    near = get_close_matches(wanted, known, n=3, cutoff=0.5) or known[:8]
    more = "" if len(near) == len(known) else f" (of {len(known)})"
    return f"Known {what}s: {', '.join(near)}{more}."
