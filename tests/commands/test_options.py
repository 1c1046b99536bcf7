"""Every option on every command and in every mode: what is not used is refused, with the name of what would use it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from explorer.commands.command import Command, parse, ways
from explorer.commands.main import every_command
from explorer.options import Number, Option
from tests.support import Passk, csv_file

COMMANDS = every_command()
WAYS = {words: options for name, command in COMMANDS.items() for words, options in ways(f"passk {name}", command)}
OPTIONS = {
    option.spelling: option for options in WAYS.values() for option in options if option.spelling.startswith("-")
}


def said(option: Option) -> list[str]:
    """The option as one writes it, with a value that it takes."""
    is_number = isinstance(option.check, Number) or option.check in (int, float)
    value = option.choices[0] if option.choices else "1" if is_number else "x"
    spelling = [option.spelling] if option.spelling.startswith("-") else []
    return [*spelling, value] if option.takes_value else spelling


def command_of(words: str) -> tuple[str, Command]:
    """The command, or the action of one, that these words run."""
    _, name, *rest = words.split()
    command = COMMANDS[name]
    return name, command.actions[rest[0]] if rest and rest[0] in command.actions else command


def needed(words: str) -> list[str]:
    """The words behind `passk NAME` that make it run in the mode that `words` names."""
    name, command = command_of(words)
    modes = [mode for mode in command.modes if mode.words and words.endswith(mode.words)]
    in_mode = [option for mode in modes for option in mode.needs]
    positional = [option for option in command.options if not option.spelling.startswith("-")]
    required = [option for option in WAYS[words] if option.required and option not in [*in_mode, *positional]]
    action = [] if command is COMMANDS[name] else [words.split()[2]]
    return [*action, *(word for option in [*positional, *required, *in_mode] for word in said(option))]


def refusal(name: str, words: Sequence[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What is said of words that are refused."""
    with pytest.raises(SystemExit) as ended:
        parse(name, COMMANDS[name], words, every_command)
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


@pytest.mark.parametrize("words", WAYS)
def test_what_a_way_does_not_use_is_refused_and_who_uses_it_is_named(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, _ = command_of(words)
    run, _ = parse(name, COMMANDS[name], needed(words), every_command)
    assert callable(run)
    used = {option.spelling for option in WAYS[words]}
    # Options that say that another mode is meant are not refused: they change the way.
    turning = {option.spelling for mode in command_of(words)[1].modes for option in mode.needs}
    unused = OPTIONS.keys() - used - turning
    assert unused or name == "work"
    for spelling in unused:
        message = refusal(name, [*needed(words), *said(OPTIONS[spelling])], capsys)
        assert re.search(rf"does not use (.*, )?{spelling}\b", message), (words, spelling, message)
        named = message.split(" does not use ")[1].split(": ", 1)[1]
        users = [way for way, options in WAYS.items() if spelling in {option.spelling for option in options}]
        assert any(way in named for way in users), (words, spelling, message)


@pytest.mark.parametrize("words", WAYS)
def test_what_a_way_uses_is_taken(words: str) -> None:
    """Each option by itself, with what it needs."""
    name, _ = command_of(words)
    for option in WAYS[words]:
        if option.spelling in needed(words) or not option.spelling.startswith("-"):
            continue
        beside = said(OPTIONS[option.needs]) if option.needs else []
        _, parsed = parse(name, COMMANDS[name], [*needed(words), *beside, *said(option)], every_command)
        assert getattr(parsed, option.name) not in (None, False, []), (words, option.spelling)


@pytest.mark.parametrize(
    ("words", "users"),
    [
        ("sample --run R --add 1 --n 8 --name foo --role base", ["passk sample --model PATH --n N"]),
        ("export sets --to x.csv --limit 3", ["passk export paths"]),
        ("stats histogram --k 3", ["passk stats efficiency", "passk stats steps", "passk stats temperature"]),
        ("judge --run R --problem P --sample 1 --judgement valid --all", ["passk judge --checker C"]),
        ("judgements list --problems x", ["passk judgements queue", "passk judgements sets"]),
        ("judgements list --format table", ["passk judgements curves", "passk judgements sets"]),
        ("curves --tau 0.5", ["passk curves --cover"]),
        ("verify --run R --use imported --verifier math", ["passk verify"]),
        ("score --run R --under M --sample 3", ["passk compare"]),
    ],
)
def test_what_used_to_be_dropped(words: str, users: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    name, *rest = words.split()
    message = refusal(name, rest, capsys)
    assert "does not use" in message
    assert [user for user in users if user not in message] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("plan --budget 9 --engine vllm", "--engine only with --start"),
        ("score --under m --alternatives 3", "--alternatives only with --tokens"),
        ("sample --run R --add 2 --against x", "--against only with --problems"),
        ("sample --run R --add 2 --wait --prepare", "together"),
        ("sample --run R --add 0", "expected a whole number of 1 or more, not 0"),
        ("sample --run R --add 1 --temperature nan", "expected a number of 0 or more, not nan"),
        ("sample --run R --add 1 --top-p 2", "expected a number from 0 to 1, not 2"),
        ("stats", "name one of histogram"),
        ("runs --nonsense", "no command does"),
        ("runs more", "unrecognized arguments: more"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    name, *rest = words.split()
    assert said in refusal(name, rest, capsys)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("stats --base B histogram", {"base": "B"}),
        ("judgements --run list list", {"run": ["list"]}),
        ("export --benchmark M --to datasets folder", {"to": ["datasets", "folder"]}),
        ("jobs --format json", {"format": "json"}),
        ("jobs --store S show last", {"job": "last", "store": "S"}),
        ("tree --problem p --run a b --run c", {"run": ["a", "b", "c"]}),
        ("sample --mod m --n 2", {"model": "m", "n": 2}),
    ],
)
def test_spellings_that_have_always_worked(words: str, expected: dict[str, object]) -> None:
    """The action behind options, an action's name as a value, and beginnings of options."""
    name, *rest = words.split()
    _, parsed = parse(name, COMMANDS[name], rest, every_command)
    assert {key: getattr(parsed, key) for key in expected} == expected


@pytest.mark.parametrize("words", [["--\x1b]0;x\x07"], ["--limit", "\x1b[31mred"], ["\u202ereverse"]])
def test_messages_cannot_command_the_terminal(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    message = refusal("search", ["x", *words], capsys)
    assert not set(message) & {"\x1b", "\x07", "\u202e"}
    assert "␛" in message or "␦" in message


# One pair and one benchmark are the usual case


@pytest.fixture
def one_pair(run_passk: Passk) -> Passk:
    csv_file(run_passk.folder / "c.csv", ("problem", "a", "b"), [(1, 3, 0), (2, 0, 4)])
    run_passk("import", "c.csv", "--benchmark", "abc", "--n", 4)
    for model, role in (("a", "base"), ("b", "rl")):
        run_passk("import", "c.csv", "--benchmark", "abc", "--n", 4, "--model", model, "--role", role, status=None)
    return run_passk


@pytest.mark.parametrize(
    "words",
    [
        ("sets", "--format", "json"),
        ("difference", "--format", "json"),
        ("plan", "--budget", "8", "--format", "json"),
        ("sets", "--base", "a", "--format", "json"),
        ("difference", "--rl", "b", "--format", "json"),
    ],
)
def test_the_only_pair_is_taken_and_said(one_pair: Passk, words: tuple[str, ...]) -> None:
    named = one_pair(words[0], "--base", "a", "--rl", "b", *words[words.index("--format") - 2 * (words[0] == "plan") :])
    taken = one_pair(*words)
    assert taken.json == named.json
    assert "base: a@abc, RL: b@abc, the only pair" in taken.stderr
    assert "the only pair" not in named.stderr


def test_the_only_benchmark_is_taken_and_said(one_pair: Passk) -> None:
    taken = one_pair("stats", "histogram", "--format", "json")
    assert "benchmark: abc, the only one" in taken.stderr
    assert "the only one" not in one_pair("stats", "histogram", "--benchmark", "abc").stderr
    assert "the only pair" in one_pair("export", "sets", "--to", "s.csv").stderr
    assert "benchmark: abc, the only one" in one_pair("export", "curves", "--to", "curves.csv").stderr


def test_of_several_pairs_one_must_be_named(one_pair: Passk) -> None:
    csv_file(one_pair.folder / "d.csv", ("problem", "n", "c"), [(1, 4, 1), (2, 4, 4)])
    one_pair("import", "d.csv", "--benchmark", "abc", "--model", "c", "--role", "rl")
    message = one_pair("sets", status=1).stderr
    assert "There are 2 pairs" in message
    assert "--base a@abc --rl b@abc" in message and "--base a@abc --rl c@abc" in message
    assert one_pair("sets", "--rl", "c", "--format", "json").json["rl"]["run"] == "c@abc"


# Paths are made whole once, where they are named


def test_paths_are_whole_from_the_first_word_on(run_passk: Passk) -> None:
    csv_file(run_passk.folder / "c.csv", ("problem", "n", "c"), [(1, 4, 1)])
    words = ("import", "c.csv", "--benchmark", "b", "--model", "m")
    here = run_passk.folder.resolve()
    assert f"Imported into {here / 'there.passk'}" in run_passk(*words, "--store", "there.passk").stderr
    assert f"Imported into {here / 'set.passk'}" in run_passk(*words, PASSK_STORE="set.passk").stderr
    assert f"Imported into {here / 'store.passk'}" in run_passk(*words).stderr
    (here / "own.toml").write_text("[sampling]\nadd = 3\n")
    rows = {row["what"]: row for row in run_passk("doctor", "--format", "json", PASSK_CONFIG="own.toml").json}
    assert rows["configuration"]["found"] == str(here / "own.toml")
