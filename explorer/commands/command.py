"""Commands as data: what each does and which options it uses. An option that it does not use is refused.

Options are declared in `explorer.options`, or beside the only command that has them. So the command line can say which
command would have used a word that it refuses, and a test tries every option on every command.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from backend.visible_text import visible
from explorer import options
from explorer.options import Option

SHARED = frozenset(option.spelling for option in vars(options).values() if isinstance(option, Option))
"""Options that no command takes for the beginning of another: --sample is not --samples, --again not --against."""
MOST_USERS = 4
"""Commands that a message names."""


@dataclass(frozen=True, slots=True)
class Mode:
    """One of several things that a command does, where its options say which."""

    words: str
    """The options that say so, as one writes them."""
    needs: tuple[Option, ...]
    """All of them are given; none for the mode that is meant when no other is."""
    options: tuple[Option, ...] = ()
    """What it uses besides these and the options of the command."""


@dataclass(frozen=True, slots=True)
class Command:
    """What `passk NAME` or `passk NAME ACTION` does."""

    run: Callable[[argparse.Namespace], int] | None
    """Returns the exit status. None where an action must be named."""
    options: tuple[Option, ...] = ()
    purpose: str = ""
    modes: tuple[Mode, ...] = ()
    actions: Mapping[str, Command] = field(default_factory=dict)
    epilogue: str = ""

    @property
    def all_options(self) -> tuple[Option, ...]:
        """Those of every mode too, each once."""
        of_modes = [option for mode in self.modes for option in (*mode.needs, *mode.options)]
        return tuple({option.spelling: option for option in (*self.options, *of_modes)}.values())

    def mode_of(self, given: Collection[str]) -> Mode | None:
        """The mode that options of these names mean; None where they mean none, or there are none."""
        return next((mode for mode in self.modes if all(option.name in given for option in mode.needs)), None)

    def used_in(self, mode: Mode | None) -> tuple[Option, ...]:
        """The options that a mode uses."""
        return self.all_options if mode is None else (*self.options, *mode.needs, *mode.options)


def ways(words: str, command: Command) -> Iterator[tuple[str, tuple[Option, ...]]]:
    """Every way to use a command, its actions and modes, as one writes it, and the options that it uses."""
    if command.run is not None:
        for mode in command.modes or (None,):
            yield f"{words} {mode.words if mode else ''}".rstrip(), command.used_in(mode)
    for action, inner in command.actions.items():
        yield from ways(f"{words} {action}", inner)


class Parser(argparse.ArgumentParser):
    """Whose messages, which repeat what was typed, can do nothing to the terminal."""

    def error(self, message: str) -> NoReturn:
        """Usage and message on stderr; exit status 2."""
        super().error(visible(message))


def parse(
    name: str, family: Command, words: Sequence[str], every: Callable[[], Mapping[str, Command]]
) -> tuple[Callable[[argparse.Namespace], int], argparse.Namespace]:
    """What is to be run, and the values of its options.

    Args:
        words: what stands behind its name.
        every: reads all commands, for a message that names those that would use an option.

    Raises:
        SystemExit: help was asked for (0), or the words are wrong (2).
    """
    words, prog, command = list(words), f"passk {name}", family
    if (place := _place_of_action(family, words)) is not None:
        action = words.pop(place)
        prog, command = f"{prog} {action}", family.actions[action]
    parser = _parser(prog, command)

    def refuse(me: str, spellings: Sequence[str]) -> None:
        if spellings:
            parser.error(_refusal(me, spellings, {name: family}, every))

    # Before argparse takes --sample for the beginning of --samples.
    own = {option.spelling for option in command.all_options}
    refuse(prog, [word for word in _spellings(words) if word in SHARED - own])
    parsed, rest = parser.parse_known_args(words)
    if command.run is None:
        parser.error(f"name one of {', '.join(command.actions)}" + (f", not {rest[0]}" if rest else ""))
    given = set(vars(parsed))
    mode = command.mode_of(given)
    used = {option.name for option in command.used_in(mode)}
    refused = [option.spelling for option in command.all_options if option.name in given - used]
    refuse(f"{prog} {mode.words if mode else ''}".rstrip(), [*refused, *_spellings(rest)])
    if rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    _check_together(parser, [option for option in command.all_options if option.name in given], given)
    for option in command.all_options:
        if option.name not in given:
            usual = option.default if option.takes_value else False
            setattr(parsed, option.name, [] if option.repeated else usual)
    return command.run, parsed


def _spellings(words: Sequence[str]) -> list[str]:
    """The options among words, without the values that are joined to them."""
    return [word.partition("=")[0] for word in words if word.startswith("-") and word != "--"]


def _place_of_action(family: Command, words: Sequence[str]) -> int | None:
    """Where the action stands: first, or behind options, but not as the value of one."""
    if not family.actions or (words and words[0] in family.actions):
        return 0 if family.actions else None
    options = [option for command in family.actions.values() for option in command.all_options if option.takes_value]
    for place, word in enumerate(words):
        before = words[place - 1] if place else ""
        is_value = before.startswith("-") and any(option.spelling.startswith(before) for option in options)
        if word in family.actions and not is_value:
            return place
    return None


def _refusal(
    me: str, spellings: Sequence[str], family: Mapping[str, Command], every: Callable[[], Mapping[str, Command]]
) -> str:
    """Why options are refused: which commands use them, those of the same name if there are any."""

    def users(spelling: str, names: Mapping[str, Command]) -> tuple[str, ...]:
        found = [way for other, command in names.items() for way in ways(f"passk {other}", command)]
        return tuple(words for words, options in found if words != me and spelling in {o.spelling for o in options})

    refused: dict[tuple[str, ...], list[str]] = {}
    for spelling in spellings:
        refused.setdefault(users(spelling, family) or users(spelling, every()), []).append(spelling)
    lines = []
    for found, some in refused.items():
        shown = ", ".join(found[:MOST_USERS]) + (" and others" if len(found) > MOST_USERS else "")
        why = f"{shown} {'does' if len(found) == 1 else 'do'}" if found else "no command does"
        lines.append(f"{me} does not use {', '.join(some)}: {why}")
    return "\n".join(lines)


def _check_together(parser: Parser, options: Sequence[Option], given: Collection[str]) -> None:
    """Refuse an option without the one that it needs, or beside one that it cannot be said with."""
    spellings = {option.spelling for option in options}
    for option in options:
        if option.needs and option.needs not in spellings:
            parser.error(f"{parser.prog} uses {option.spelling} only with {option.needs}")
        if option.excludes in spellings:
            parser.error(f"{option.spelling} cannot be used together with {option.excludes}")


def _parser(prog: str, command: Command) -> Parser:
    listing = "".join(f"\n  {action:<11} {inner.purpose}" for action, inner in command.actions.items())
    parser = Parser(
        prog=prog,
        description=command.purpose[:1].upper() + command.purpose[1:] + "." if command.purpose else None,
        epilog="\n\n".join(text for text in (f"actions:{listing}" if listing else "", command.epilogue) if text),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        usage=f"{prog} {'ACTION' if command.run is None else '[ACTION]'} [OPTIONS]" if listing else None,
    )
    of_one_mode = {
        option.spelling: mode
        for mode in command.modes
        for option in (*mode.needs, *mode.options)
        if sum(option in (*other.needs, *other.options) for other in command.modes) == 1
    }
    groups = {mode.words: parser.add_argument_group(mode.words) for mode in command.modes if mode.words}
    for option in command.all_options:
        mode = of_one_mode.get(option.spelling)
        _add(groups[mode.words] if mode is not None and mode.words else parser, option)
    return parser


def _add(group: argparse._ActionsContainer, option: Option) -> None:
    words = f"with {option.needs}: {option.help}" if option.needs else option.help
    if option.takes_value and option.default not in (None, "") and "default" not in words:
        words += f" (default: {option.default})"
    more: dict[str, Any] = {"help": words.replace("%", "%%")}
    if option.takes_value:
        more |= {"type": _typed(option.check), "nargs": option.nargs, "choices": option.choices or None}
        more |= {"metavar": option.metavar} if option.metavar else {}
        more |= {"const": ""} if option.nargs == "?" and option.spelling.startswith("-") else {}
        if option.repeated:
            more["action"] = "extend" if option.nargs else "append"
    else:
        more["action"] = "store_true"
    if option.spelling.startswith("-"):
        more |= {"dest": option.name, "required": option.required}
    group.add_argument(option.spelling, **more)


def _typed(check: Callable[[str], Any]) -> Callable[[str], Any]:
    """The check as argparse takes it, whose own sentence about a ValueError says less."""

    def value(text: str) -> Any:
        try:
            return check(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return value
