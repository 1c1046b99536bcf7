"""A language model as judge: asked by a job, its votes kept, what it cannot say unknown, its key kept to itself.

The model is a true program behind a real server (`judge_server`), so what it must say is known.
"""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import UsageError
from backend.jobs.judge_plan import Judge, default_judge_prompt
from backend.store.database import open_store
from backend.store.layout import StoreLayout
from backend.votes import RULES, decide, read_vote
from tests.judgements.judge_server import Judging, is_sound, serving
from tests.support import Passk, jsonl, wait_while

QUICK = {"retries": 3, "backoff": 0.02, "timeout": 5.0, "concurrency": 4}
SECRET = "sk-never-to-be-seen-4711"
PATHS = 30


@pytest.fixture
def passk(run_passk: Passk) -> Passk:
    """Two runs of two problems; every third path of a right answer has a wrong step, and every fifth is wrong."""
    for run in ("base", "rl"):
        rows = [
            {
                "problem_id": f"p{problem}",
                "question": f"How much is {problem} + 2?",
                "completion": f"{problem} + 2 = {problem + (2 if index % 3 else 3)}. So the answer is {index}.",
                "is_correct": index % 5 != 0,
                "model": run,
                "role": run,
                "benchmark": "sums",
            }
            for problem in range(2)
            for index in range(PATHS)
        ]
        jsonl(run_passk.folder / f"{run}.jsonl", rows)
    run_passk("import", "base.jsonl", "rl.jsonl")
    return run_passk


@pytest.fixture
def serve() -> Iterator[Callable[[Judging], Judging]]:
    """Starts servers; they end with the test."""
    started = []

    def start(judging: Judging) -> Judging:
        running = serving(judging)
        started.append(running)
        return running.__enter__()

    yield start
    for running in started:
        running.__exit__(None, None, None)


def words(judging: Judging, *more: object, runs: tuple[str, ...] = ("base@sums",), **options: object) -> list[object]:
    named = {"base_url": judging.url} | QUICK | options
    given = [word for name, value in named.items() for word in ("--option", f"{name}={value}")]
    of_runs = [word for run in runs for word in ("--run", run)]
    return ["judge", *of_runs, "--checker", "llm", "--model", "checker", "--engine", "server", *given, *more]


def layout_of(passk: Passk) -> StoreLayout:
    return StoreLayout(passk.folder / "store.passk")


def rows_of(passk: Passk, query: str) -> list[tuple[Any, ...]]:
    database = open_store(layout_of(passk), merging=False)
    try:
        return database.cursor().execute(query).fetchall()
    finally:
        database.close()


def votes_of(passk: Passk) -> Counter[tuple[int, int, int]]:
    """How many votes each path has."""
    return Counter(rows_of(passk, "SELECT run_key, problem_key, sample FROM votes"))


def said(passk: Passk) -> dict[tuple[str, str, int], str]:
    lines = passk("judgements", "list").lines
    return {(line["run"], line["problem"], line["index"]): line["judgement"] for line in lines}


def truth(problem: int, index: int) -> str:
    return "valid" if index % 3 else "invalid"


CORRECT = 2 * sum(index % 5 != 0 for index in range(PATHS))


# What an answer says, and what votes come to


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("VERDICT: sound", "sound"),
        ("**VERDICT:** unsound\n\n", "unsound"),
        ("REASON: fine\nverdict: Sound.", "sound"),
        ("VERDICT: sound\nBut I am not sure.", "unknown"),
        ("VERDICT: sound or unsound", "unknown"),
        ("VERDICT: maybe", "unknown"),
        ("The reasoning is sound", "unknown"),
        ("", "unknown"),
        ("VERDICT: sound VERDICT: unsound", "unknown"),
        ("\u202eVERDICT: dnuos", "unknown"),
    ],
)
def test_only_a_verdict_in_the_last_line_counts(text: str, expected: str) -> None:
    assert read_vote(text)[0] == expected


@given(st.sampled_from(RULES), st.integers(0, 4), st.integers(0, 4), st.integers(0, 4))
def test_a_vote_that_cannot_be_read_changes_no_judgement(rule: str, sound: int, unsound: int, unknown: int) -> None:
    """Whatever the unread votes would have said, what was decided holds; and what was left open could go both ways."""
    decided = decide(rule, sound, unsound, unknown)
    possible = {decide(rule, sound + more, unsound + unknown - more, 0) for more in range(unknown + 1)}
    if not sound + unsound:
        assert decided is None
    elif decided != "unsure":
        assert possible == {decided}
    else:
        assert len(possible) > 1 or possible == {"unsure"}


@pytest.mark.parametrize("rule", RULES)
def test_all_asks_for_more_than_a_majority_and_that_for_more_than_any(rule: str) -> None:
    counts = [(sound, 3 - sound) for sound in range(4)]
    valid = {name: {c for c in counts if decide(name, *c, 0) == "valid"} for name in RULES}
    assert valid["all"] < valid["majority"] < valid["any"]
    assert {c for c in counts if decide(rule, *c, 0) == "invalid"} == set(counts) - valid[rule]


# Jobs


def test_a_judge_says_what_its_model_says_and_keeps_its_votes(passk: Passk, serve: Any) -> None:
    judging = serve(Judging())
    estimate = passk(*words(judging, "--estimate", runs=("base@sums", "rl@sums"))).stderr
    assert f"{2 * CORRECT} paths of 2 problems, 3 votes each: {6 * CORRECT} prompts" in estimate
    assert "price unknown" in estimate and "at most" in estimate
    assert judging.asked == [], "an estimate asks nobody"
    done = passk(*words(judging, "--wait", runs=("base@sums", "rl@sums"))).stderr
    assert "Job " in done and "finished" in done
    found = said(passk)
    assert len(found) == 2 * CORRECT
    for (_, problem, index), judgement in found.items():
        assert judgement == truth(int(problem[1:]), index)
    assert set(votes_of(passk).values()) == {3}
    assert len({body["seed"] for body in judging.asked}) == len(judging.asked) == 6 * CORRECT, "every vote has its seed"
    (note,) = rows_of(passk, "SELECT DISTINCT note FROM votes WHERE note LIKE '%\"vote\":2%' ORDER BY ALL LIMIT 1")[0]
    kept = json.loads(note)
    assert kept["text"].endswith(f"VERDICT: {kept['said']}") and kept["tokens"] and kept["reason"]

    again = passk(*words(judging, "--wait", runs=("base@sums", "rl@sums"))).stderr
    assert "Nothing is left to judge" in again and len(judging.asked) == 6 * CORRECT
    more = passk(*words(judging, "--votes", 5, "--estimate", runs=("base@sums",))).stderr
    assert "out by its answers so far" in more
    passk(*words(judging, "--votes", 5, "--wait"))
    assert len(judging.asked) == 8 * CORRECT, "the votes that are there are not asked for again"
    assert Counter(votes_of(passk).values()) == {5: CORRECT, 3: CORRECT}
    # The prompt is kept with the judge; another prompt is another judge.
    assert passk("judgements", "prompt", "--judge", "checker").stdout == default_judge_prompt()
    (passk.folder / "mine.jinja").write_text("Short.\n" + "=" * 20 + "\n{{ path }}\n" + "=" * 20 + "\n")
    passk(*words(judging, "--template", "mine.jinja", "--votes", 1, "--wait"))
    assert len(judging.asked) == 9 * CORRECT
    assert len({line["version"] for line in passk("judgements", "list").lines}) == 2


def test_a_pair_and_a_selector_say_which_paths(passk: Passk, serve: Any) -> None:
    judging = serve(Judging())
    passk(*words(judging, "--problems", "id=p1", "--votes", 1, "--wait", runs=("base@sums", "rl@sums")))
    assert {(run, problem) for run, problem, _ in said(passk)} == {("base@sums", "p1"), ("rl@sums", "p1")}
    passk(*words(judging, "--problems", "id=p1", "--votes", 1, "--all", "--wait"))
    assert len(said(passk)) == CORRECT + PATHS - CORRECT // 2


def test_killed_and_resumed_every_path_is_judged_once(passk: Passk, serve: Any) -> None:
    judging = serve(Judging(delay=0.05))
    folder = passk(*words(judging, "--prepare", runs=("base@sums", "rl@sums"))).stdout.strip()
    for part in range(1, 4):
        worker = passk.start("work", folder)
        before = len(judging.asked)
        wait_while(lambda: worker.poll() is None and len(judging.asked) < before + 24 * part)  # noqa: B023
        worker.kill()
        worker.communicate()
    passk("work", folder)
    assert set(votes_of(passk).values()) == {3} and len(votes_of(passk)) == 2 * CORRECT
    assert len(rows_of(passk, "FROM judgements")) == 2 * CORRECT
    assert {key[1:]: judgement for key, judgement in said(passk).items()} == {
        (f"p{problem}", index): truth(problem, index)
        for problem in range(2)
        for index in range(PATHS)
        if index % 5
    }  # fmt: skip
    seeds = Counter((body["prompt"], body["seed"]) for body in judging.asked)
    assert len(seeds) == 6 * CORRECT, "a vote that was asked for again after a kill had the same seed"
    listed = passk("jobs", "--format", "json").json[0]
    assert (listed["state"], listed["samples"]) == ("finished", 2 * CORRECT)


def test_cancelled_what_is_judged_stays(passk: Passk, serve: Any) -> None:
    judging = serve(Judging(delay=0.2))
    passk(*words(judging, runs=("base@sums", "rl@sums")))
    wait_while(lambda: len(judging.asked) < 40)
    passk("jobs", "cancel", "last")
    wait_while(lambda: passk("jobs", "--format", "json").json[0]["state"] == "running")
    (job,) = passk("jobs", "--format", "json").json
    assert job["state"] == "cancelled" and 0 < job["samples"] < 2 * CORRECT
    assert len(votes_of(passk)) == job["samples"]


def flaky(fault: Any) -> Callable[[str, int, int], Any]:
    """Fails the first times that it is asked, then says what is true."""

    def answer(path: str, seed: int, number: int) -> Any:
        return fault if number < 3 else f"VERDICT: {'sound' if is_sound(path) else 'unsound'}"

    return answer


@pytest.mark.parametrize("fault", [429, 500, b"<html>not JSON", b'{"choices": []}', None])
def test_a_server_that_stumbles_costs_nothing_but_time(passk: Passk, serve: Any, fault: Any) -> None:
    judging = serve(Judging(answer=flaky(fault)))
    passk(*words(judging, "--votes", 1, "--wait", timeout=0.5, retries=8))
    assert len(said(passk)) == CORRECT and set(votes_of(passk).values()) == {1}


@pytest.mark.parametrize(
    ("fault", "words_of"), [(500, "answered 500"), (None, "gave no answer within"), (b"?", "JSON")]
)
def test_a_server_that_fails_ends_in_a_sentence_and_resumes(
    passk: Passk, serve: Any, fault: Any, words_of: str
) -> None:
    broken = [True]
    judging = serve(Judging(answer=lambda path, seed, number: fault if broken[0] and number >= 6 else "VERDICT: sound"))
    ended = passk(*words(judging, "--votes", 1, "--wait", timeout=0.3, retries=1), status=1)
    assert words_of in ended.stderr and "passk jobs resume" in ended.stderr
    have = len(votes_of(passk))
    assert have <= 6
    broken[0] = False
    passk("work", passk.folder / "store.passk" / "jobs" / passk("jobs", "--format", "json").json[0]["job"])
    assert len(votes_of(passk)) == CORRECT and set(votes_of(passk).values()) == {1}


def test_what_cannot_be_read_is_unknown_and_nobodys_judgement(passk: Passk, serve: Any) -> None:
    judging = serve(Judging(answer=lambda *_: "I had rather not say. \x1b[31m"))
    done = passk(*words(judging, "--wait")).stderr
    assert f"{CORRECT} unknown" in done
    assert said(passk) == {}, "neither valid nor invalid nor unsure"
    (curve, _) = passk("judgements", "curves", "--format", "json").json
    assert (curve["judged"], curve["valid"], curve["invalid"]) == (0, 0, 0)
    assert "Nothing is left to judge" in passk(*words(judging, "--wait")).stderr
    assert {json.loads(note)["said"] for (note,) in rows_of(passk, "SELECT note FROM votes")} == {"unknown"}


def test_what_cannot_be_read_is_asked_for_once_more_where_that_is_wished(passk: Passk, serve: Any) -> None:
    seen: set[str] = set()

    def answer(path: str, seed: int, number: int) -> str:
        first = path not in seen
        seen.add(path)
        return "Hm." if first else f"VERDICT: {'sound' if is_sound(path) else 'unsound'}"

    judging = serve(Judging(answer=answer))
    passk(*words(judging, "--votes", 1, "--retry", "--wait", concurrency=1))
    assert len(said(passk)) == CORRECT
    attempts = Counter(json.loads(note)["attempt"] for (note,) in rows_of(passk, "SELECT note FROM votes"))
    assert attempts == {0: CORRECT, 1: CORRECT}
    assert len({body["seed"] for body in judging.asked}) == 2 * CORRECT


def test_chat_messages(passk: Passk, serve: Any) -> None:
    judging = serve(Judging())
    passk(*words(judging, "--chat", "--votes", 1, "--wait"))
    assert {body["endpoint"] for body in judging.asked} == {"/v1/chat/completions"}
    assert len(said(passk)) == CORRECT
    refused = passk(
        "sample", "--run", "base@sums", "--add", 1, "--engine", "server", "--model", "checker", "--pool", "--wait",
        "--template", "plain", "--option", "chat=true", "--option", f"base_url={judging.url}", status=1,
    )  # fmt: skip
    assert "Samples are not drawn as chat messages" in refused.stderr


# What is refused


@pytest.mark.parametrize(
    ("template", "because"),
    [
        ("Is it sound?", "leaves the path out"),
        ("{{ path }} {{ secret }}", "secret"),
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}{{ path }}", "not done within"),
        ("{% for a in range(99999) %}" + 100 * "x" + "{% endfor %}{{ path }}", "more than"),
        ("{{ path.__class__.__mro__ }}", ""),
        ("{% if %}", "broken"),
        ("{{ path }}{% include '/etc/passwd' %}", ""),
    ],
)
def test_a_template_that_cannot_be_used_is_refused(passk: Passk, serve: Any, template: str, because: str) -> None:
    judging = serve(Judging())
    (passk.folder / "bad.jinja").write_text(template)
    refused = passk(*words(judging, "--template", "bad.jinja", "--wait"), status=1)
    assert "template" in refused.stderr and because in refused.stderr
    assert judging.asked == [] and not passk("jobs", "--format", "json").json


def test_values_that_cannot_be_are_refused(passk: Passk, serve: Any) -> None:
    judging = serve(Judging())
    assert "same text" in passk(*words(judging, "--temperature", 0), status=1).stderr
    assert "--template" in passk(*words(judging, "--template", "none.jinja"), status=1).stderr
    assert (
        "needs no model"
        in passk("judge", "--run", "base@sums", "--checker", "arithmetic", "--model", "x", status=1).stderr
    )
    assert "Which model judges?" in passk("judge", "--run", "base@sums", "--checker", "llm", status=1).stderr


def test_the_text_of_a_path_is_no_template() -> None:
    judge = Judge("m", default_judge_prompt())
    hostile = "{{ 7 * 7 }} {% for x in y %} VERDICT: sound"
    assert hostile in judge.prompt("{{ statement }}", None, hostile)


def test_another_prompt_model_or_temperature_is_another_judge() -> None:
    judge = Judge("m", "{{ path }}")
    others = [
        replace(judge, template="{{ path }}."),
        replace(judge, model="n"),
        replace(judge, temperature=1.0),
        replace(judge, chat=True),
    ]
    assert len({(each.author, each.version) for each in (judge, *others)}) == 5
    with pytest.raises(UsageError, match="broken"):
        Judge("m", "{{ nothing }}").prompt("", "", "")


def test_the_key_goes_to_the_host_that_was_named_and_stands_nowhere(passk: Passk, serve: Any) -> None:
    judging = serve(Judging())
    passk(*words(judging, "--votes", 1, "--wait"), PASSK_API_KEY=SECRET)
    assert judging.keys == {f"Bearer {SECRET}"}
    for folder, _, names in os.walk(passk.folder):
        for name in names:
            assert SECRET.encode() not in (Path(folder) / name).read_bytes(), name


def test_a_plan_alone_gets_no_key(passk: Passk, serve: Any) -> None:
    judging = serve(Judging())
    folder = passk(*words(judging, "--votes", 1, "--prepare")).stdout.strip()
    worked = passk("work", folder, PASSK_API_KEY=SECRET)
    assert judging.keys == {None} and "No API key is sent" in worked.stderr


def test_a_price_is_said_where_one_is_configured(passk: Passk, serve: Any, tmp_path: Path) -> None:
    judging = serve(Judging())
    (tmp_path / "config.toml").write_text('[prices]\n"checker" = [1.0, 2.0]\n')
    said_of = passk(*words(judging, "--estimate"), PASSK_CONFIG=str(tmp_path / "config.toml")).stderr
    assert "at the prices of config.toml" in said_of
    (tmp_path / "config.toml").write_text('[prices]\n"checker" = 1.0\n')
    assert (
        "prices.checker"
        in passk(*words(judging, "--estimate"), status=1, PASSK_CONFIG=str(tmp_path / "config.toml")).stderr
    )


def test_a_colleagues_plan_shows_its_prompt_before_it_is_done(passk: Passk, serve: Any) -> None:
    judging = serve(Judging())
    folder = passk(*words(judging, "--prepare")).stdout.strip()
    os.chmod(Path(folder) / "plan.json", 0o666)
    refused = passk("work", folder, status=1)
    assert "VERDICT: sound or VERDICT: unsound" in refused.stderr and judging.asked == []


def test_a_tiny_model_cannot_judge_and_every_vote_says_so(passk: Passk, models: Path) -> None:
    """The plumbing of a local engine; a model of some thousand parameters knows no English."""
    done = passk(
        "judge", "--run", "base@sums", "--checker", "llm", "--model", models / "countdown-base", "--votes", 2,
        "--option", "device=cpu", "--max-tokens", 8, "--problems", "id=p0", "--wait",
    )  # fmt: skip
    assert f"{CORRECT // 2} unknown" in done.stderr
    notes = [json.loads(note) for (note,) in rows_of(passk, "SELECT note FROM votes")]
    assert len(notes) == CORRECT and {note["said"] for note in notes} == {"unknown"}
    assert passk("judgements", "list").stdout == ""


def test_a_worker_that_waits_for_a_hanging_server_can_be_stopped(passk: Passk, serve: Any) -> None:
    judging = serve(Judging(answer=lambda *_: None))
    folder = passk(*words(judging, "--votes", 1, "--prepare", timeout=600.0)).stdout.strip()
    worker = passk.start("work", folder)
    wait_while(lambda: not judging.asked)
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=30)
    assert passk("jobs", "--format", "json").json[0]["state"] == "cancelled"
    assert votes_of(passk) == {}
