"""Judging in real processes: deadlines, crashes, order, ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from backend.errors import UsageError
from backend.verifiers import pool as pool_module
from backend.verifiers.expression import ExpressionVerifier
from backend.verifiers.pool import ImmediateVerdicts, VerifierPool, open_verifiers
from backend.verifiers.protocol import Task, Verdict
from tests.support import wait_while
from tests.verifiers.acting import Acting, Dying, Patient, Unprepared

ROOT = Path(__file__).resolve().parent.parent.parent


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that has ended and that nobody has waited for yet is no longer alive.
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


@pytest.fixture(scope="module")
def judges() -> Iterator[VerifierPool[int]]:
    with VerifierPool[int](Acting(), 2) as opened:
        yield opened


@pytest.fixture(scope="module")
def patient() -> Iterator[VerifierPool[int]]:
    with VerifierPool[int](Patient(), 2) as opened:
        yield opened


def both(judges: VerifierPool[int]) -> set[int]:
    """The two processes that judge: asked until each has had a turn."""
    pids: set[int] = set()
    while len(pids) < 2:
        pids |= {int(verdict.answer or 0) for verdict in judged(judges, *["text"] * 8)}
    return pids


def judged(judges: VerifierPool[int], *texts: str) -> list[Verdict]:
    for number, text in enumerate(texts):
        judges.submit(number, Task(text))
    results = dict(judges.finish())
    assert sorted(results) == list(range(len(texts))), "every sample exactly once"
    return [results[number] for number in range(len(texts))]


def test_every_verdict_comes_back_with_its_sample_whatever_the_order(
    patient: VerifierPool[int], tmp_path: Path
) -> None:
    pids = both(patient)
    assert len(pids) == 2, "two processes judge"
    assert os.getpid() not in pids
    texts = [f"wait {tmp_path / 'go'}", *(f"text {number}" for number in range(40))]
    for number, text in enumerate(texts):
        patient.submit(number, Task(text))
    results = patient.finish()
    order = [next(results) for _ in range(40)]
    assert 0 not in {number for number, _ in order}, "the slow one does not hold up the others"
    (tmp_path / "go").touch()
    order.extend(results)
    assert {number: verdict.detail for number, verdict in order} == dict(enumerate(texts))


@pytest.mark.parametrize("text", ["hang", "hold"])
def test_what_exceeds_its_deadline_is_a_timeout_and_its_process_is_replaced(
    judges: VerifierPool[int], text: str
) -> None:
    before = both(judges)
    results = judged(judges, "text a", text, "text b", "text c")
    assert [judgement.verdict for judgement in results] == ["correct", "timeout", "correct", "correct"]
    assert results[1].detail.startswith("Judging took longer than 3 s")
    after = both(judges)
    assert len(after) == 2, "there are two again"
    assert sum(map(alive, before)) <= 1


def test_what_a_busy_machine_held_up_is_judged_again_alone(tmp_path: Path) -> None:
    """A process that got no processor, as a loaded machine makes them: here it sleeps, the first time only."""
    with VerifierPool[int](Acting(), 2) as judges:
        slow = f"once {tmp_path / 'slept'}"
        assert [judgement.verdict for judgement in judged(judges, slow, "text a")] == ["correct", "correct"]
        assert judged(judges, "sleep")[0] == Verdict("timeout", detail="Judging took longer than 3 s, also alone.")


@pytest.mark.parametrize(("text", "ending"), [("kill", "signal 9"), ("exit 7", "exit status 7")])
def test_a_crash_costs_one_sample(judges: VerifierPool[int], text: str, ending: str) -> None:
    results = judged(judges, "text a", text, "text b")
    assert [judgement.verdict for judgement in results] == ["correct", "error", "correct"]
    assert results[1].detail == f"The verifier's process ended with {ending}."


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("raise x", "The verifier failed: ValueError."),
        ("nothing", "The verifier returned no judgement."),
        ("beyond", "The verifier returned a place that is not in the text."),
        ("unknown", "The verifier returned an unknown verdict."),
    ],
)
def test_a_verifier_that_keeps_no_promise_costs_one_sample(judges: VerifierPool[int], text: str, detail: str) -> None:
    assert judged(judges, text, "text")[0] == Verdict("error", detail=detail)
    at_once = ImmediateVerdicts[int](Acting())
    at_once.submit(0, Task(text))
    assert list(at_once.finish()) == [(0, Verdict("error", detail=detail))]


def test_ready_does_not_wait_and_impatience_drops(patient: VerifierPool[int], tmp_path: Path) -> None:
    assert list(patient.ready()) == []
    patient.submit(0, Task(f"wait {tmp_path / 'go'}"))
    assert list(patient.ready()) == []
    assert list(patient.finish(0.1)) == []
    (tmp_path / "go").touch()
    assert [number for number, _ in patient.finish()] == [0], "what was not waited for comes later"


def test_what_is_not_taken_stays(judges: VerifierPool[int]) -> None:
    for number in range(4):
        judges.submit(number, Task("text"))
    results = judges.finish()
    first, _ = next(results)
    results.close()  # type: ignore[attr-defined]
    assert {first, *(number for number, _ in judges.finish())} == set(range(4))


def test_a_verifier_that_prints_does_not_print_here(
    judges: VerifierPool[int], capfd: pytest.CaptureFixture[str]
) -> None:
    assert judged(judges, "print")[0].verdict == "correct"
    assert "noise" not in "".join(capfd.readouterr())


def test_no_more_than_the_capacity_waits(
    patient: VerifierPool[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both(patient)
    monkeypatch.setattr(pool_module, "CAPACITY", 3)
    submitted: list[int] = []

    def submit() -> None:
        for number in range(8):
            patient.submit(number, Task(f"wait {tmp_path / 'go'}"))
            submitted.append(number)

    thread = threading.Thread(target=submit)
    thread.start()
    wait_while(lambda: len(submitted) < 5)
    thread.join(0.2)
    assert (len(submitted), thread.is_alive()) == (5, True), "two are judged, three wait"
    (tmp_path / "go").touch()
    thread.join()
    assert len(list(patient.finish())) == 8


def test_leaving_kills_what_hangs() -> None:
    pids: set[int] = set()
    with pytest.raises(KeyboardInterrupt), VerifierPool[int](Patient(), 1) as judges:
        judges.submit(0, Task("text"))
        pids = {int(judgement.answer or 0) for _, judgement in judges.finish()}
        assert all(map(alive, pids))
        judges.submit(1, Task("hang"))
        raise KeyboardInterrupt
    assert pids
    wait_while(lambda: any(map(alive, pids)))


PROGRAM = """
import signal, sys, time
from backend.verifiers import pool
from backend.verifiers.protocol import Task
from tests.support import wait_while
from tests.verifiers.acting import Acting

# Whoever starts the tests in the background of a script has SIGINT ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

if __name__ == "__main__":
    pool.GRACE = 0.5
    judges = pool.VerifierPool(Acting(), 2)
    pids = set()
    while len(pids) < 2:
        for number in range(8):
            judges.submit(number, Task("text"))
        pids |= {verdict.answer for _, verdict in judges.finish()}
    print(*pids, flush=True)
    judges.submit(2, Task("hold"))
    print("hangs", flush=True)
    if sys.argv[1] == "return":
        sys.exit(0)
    time.sleep(600)
"""


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT, "return"])
def test_however_the_process_ends_that_draws_no_process_is_left(end: signal.Signals | str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, program, end if isinstance(end, str) else "wait"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        pids = set(map(int, process.stdout.readline().split()))
        assert len(pids) == 2
        assert process.stdout.readline() == "hangs\n"
        if isinstance(end, signal.Signals):
            # The whole group, as a terminal and a batch system do; but -9 for one process alone.
            (os.kill if end is signal.SIGKILL else os.killpg)(process.pid, end)
        process.wait()
    wait_while(lambda: any(map(alive, pids)))  # killed, or ended by its own watch


def test_a_verifier_that_cannot_be_loaded_says_so() -> None:
    for verifier, detail in (
        (Unprepared(), "ImportError: no such grammar"),
        (Dying(), "Its process ended with exit status 3"),
    ):
        with VerifierPool[int](verifier, 1) as judges:
            judges.submit(0, Task("text"))
            with pytest.raises(UsageError, match=f"The verifier {verifier.name} cannot be used") as error:
                list(judges.finish())
            assert detail in error.value.detail
            with pytest.raises(UsageError):
                judges.submit(1, Task("text"))


def test_a_verifier_that_cannot_be_sent_says_so() -> None:
    class Local(Acting):
        pass

    with pytest.raises(UsageError, match="cannot be sent"):
        open_verifiers(Local())


def test_cheap_verifiers_judge_here_and_nobody_means_unverified() -> None:
    known: dict[str, Any] = {"numbers": [1, 2], "target": 3}
    with open_verifiers(ExpressionVerifier()) as judges:
        assert isinstance(judges, ImmediateVerdicts)
        judges.submit("a", Task(r"\boxed{1+2}", "stop", metadata=known))
        judges.submit("b", Task(r"\boxed{1-2}", "stop", metadata=known))
        assert [(sample, judgement.verdict) for sample, judgement in judges.ready()] == [
            ("a", "correct"),
            ("b", "wrong"),
        ]
        assert list(judges.finish()) == []
    with open_verifiers(None) as judges:
        judges.submit("a", Task("text"))
        assert [judgement.verdict for _, judgement in judges.finish()] == ["unverified"]
