"""The same plan through vllm, transformers and a vLLM server: all real, on a CPU, in an environment of its own."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from backend.engines.protocol import PromptRequest, SamplingParams, TextToScore, make_request
from backend.engines.registry import load_engine
from backend.verifiers.expression import ExpressionVerifier
from backend.verifiers.protocol import Task
from tests.engines.conftest import SERVED, VllmServer, run_engine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

STATEMENTS = {
    "easy": "Numbers: 3 5 7. Target: 15.",
    "sum": "Numbers: 2 4 9. Target: 15.",
    "times": "Numbers: 3 6 8. Target: 26.",
    "four": "Numbers: 2 3 5 7. Target: 17.",
}
N = 64
PARAMS = {"temperature": 0.6, "top_p": 0.95, "max_tokens": 64, "logprobs": True}
LONG = "Numbers:" + " 3" * 300
NEARLY_FULL = "Numbers:" + " 3" * 247
"""250 tokens with the one at the beginning; the context has 256."""
FULL = {"prompt": NEARLY_FULL, "text": " 3" * 6, "finish_reason": "length"}


def plan(n: int = N) -> list[PromptRequest]:
    return [make_request("run", problem, statement, range(n)) for problem, statement in STATEMENTS.items()]


def step(requests: list[PromptRequest], **changes: Any) -> dict[str, Any]:
    take = {"take": changes.pop("take")} if "take" in changes else {}
    packed = [
        {"problem": each.problem, "prompt": each.prompt, "numbers": (each.indices, each.seeds)} for each in requests
    ]
    return {"generate": packed, "params": PARAMS | changes, **take}


def load(model: Path, name: str, **options: Any) -> dict[str, Any]:
    return {"model": str(model), "name": name, "options": {"dtype": "float32", **options}}


@pytest.fixture(scope="module")
def by_transformers(vllm_python: Path, vllm_server: VllmServer, model_folder: Path) -> dict[str, Any]:
    """Samples of the plan, and scores of some of them; vllm_server is asked for so that it starts meanwhile."""
    empty = {"prompt": STATEMENTS["easy"], "text": "", "finish_reason": "length"}
    score = {"score_some": [empty], "prompts": STATEMENTS}
    steps = step(plan()), score, {"score": [FULL]}
    drawn, scores, full = run_engine(vllm_python, load(model_folder, "transformers"), *steps)["steps"]
    return scores | {"samples": drawn["samples"], "full": full["scores"]}


@pytest.fixture(scope="module")
def by_vllm(vllm_python: Path, model_folder: Path, by_transformers: dict[str, Any]) -> dict[str, Any]:
    """Everything that one process with vLLM in it was asked."""
    one = [make_request("run", "four", STATEMENTS["four"], [5])]
    full = [make_request("run", "full", NEARLY_FULL, range(16))]
    names = (
        "plan",
        "scores",
        "left",
        "alone",
        "greedy",
        "too_long",
        "full",
        "score_full",
        "stop",
        "hot",
        "option",
        "missing",
        "context",
    )
    fails = [
        load(model_folder, "vllm", tensor_paralel_size=2),
        load(model_folder / "nowhere", "vllm"),
        load(model_folder, "vllm", max_model_len=100_000),
    ]
    done = run_engine(
        vllm_python,
        load(model_folder, "vllm", enforce_eager=True, max_num_seqs=32),
        step(plan()),
        {"score": by_transformers["items"]},
        step(plan(), take=3),
        step(one),
        step(plan(4), temperature=0.0),
        step([make_request("run", "long", LONG, range(2)), *plan(2)]),
        step(full, max_tokens=100_000),
        {"score": [FULL]},
        step(plan(4), stop=("Answer",)),
        step(plan(4), temperature=3.0),
        *({"load_fails": each} for each in fails),
    )
    return dict(zip(names, done["steps"], strict=True)) | {"version": done["version"]}


@pytest.fixture(scope="module")
def by_server(vllm_server: VllmServer, by_transformers: dict[str, Any]) -> dict[str, Any]:
    """The plan and the scores by way of HTTP."""
    vllm_server.wait()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PASSK_API_KEY", vllm_server.key)
        engine = load_engine(SERVED, name="server", options={"base_url": vllm_server.url, "eos_token_id": 2})
    samples = [vars(sample) for sample in engine.generate(plan(), SamplingParams(**PARAMS))]
    scores = [vars(score) for score in engine.score([TextToScore(**item) for item in by_transformers["items"]])]
    return {"samples": samples, "scores": scores, "version": engine.version}


@pytest.fixture(scope="module")
def drawn(
    by_transformers: dict[str, Any], by_vllm: dict[str, Any], by_server: dict[str, Any]
) -> dict[str, list[dict[str, Any]]]:
    """Samples of the plan by engine."""
    return {
        "transformers": by_transformers["samples"],
        "vllm": by_vllm["plan"]["samples"],
        "server": by_server["samples"],
    }


def test_every_engine_draws_exactly_the_plan(drawn: dict[str, list[dict[str, Any]]]) -> None:
    wanted = sorted(
        (each.problem, index, seed) for each in plan() for index, seed in zip(each.indices, each.seeds, strict=True)
    )
    for engine, samples in drawn.items():
        assert sorted((s["problem"], s["index"], s["seed"]) for s in samples) == wanted, engine


def test_samples_are_consistent(drawn: dict[str, list[dict[str, Any]]]) -> None:
    for engine, samples in drawn.items():
        for sample in samples:
            assert sample["tokens"] == len(sample["token_ids"]) == len(sample["logprobs"]) <= 64, engine
            assert math.isclose(sample["logprob_sum"], sum(sample["logprobs"]), abs_tol=1e-6), engine
            assert (sample["finish_reason"] == "stop") == (sample["token_ids"][-1] == 2), engine
            assert sample["finish_reason"] == "stop" or sample["tokens"] == 64, engine


def verdicts(samples: list[dict[str, Any]]) -> Counter[str]:
    judge = ExpressionVerifier().judge
    return Counter(
        judge(Task(each["text"], each["finish_reason"], STATEMENTS[each["problem"]])).verdict for each in samples
    )


def test_verdicts_agree_within_sampling_error(drawn: dict[str, list[dict[str, Any]]]) -> None:
    counts = {engine: verdicts(samples) for engine, samples in drawn.items()}
    assert counts["transformers"]["correct"] > 0, counts
    total = N * len(STATEMENTS)
    for engine in ("vllm", "server"):
        for verdict in set(counts["transformers"]) | set(counts[engine]):
            one, other = counts["transformers"][verdict], counts[engine][verdict]
            share = (one + other) / (2 * total)
            error = math.sqrt(max(2 * share * (1 - share) / total, 1e-9))
            assert abs(one - other) / total < 3.5 * error + 2 / total, (verdict, counts)


def test_vllm_in_process_and_by_http_draw_the_same(drawn: dict[str, list[dict[str, Any]]]) -> None:
    """The same seeds and the same library; batches differ, and with them a token now and then may."""
    texts = [{(s["problem"], s["index"]): s["text"] for s in drawn[engine]} for engine in ("vllm", "server")]
    same = sum(texts[0][key] == texts[1][key] for key in texts[0])
    assert same >= 0.9 * len(texts[0])


def test_log_probabilities_are_equal(
    by_transformers: dict[str, Any], by_vllm: dict[str, Any], by_server: dict[str, Any]
) -> None:
    assert len(by_transformers["scores"]) > 30
    for other in (by_vllm["scores"]["scores"], by_server["scores"]):
        for one, two in zip(by_transformers["scores"], other, strict=True):
            assert one["tokens"] == two["tokens"]
            assert one["logprobs"] == pytest.approx(two["logprobs"], abs=1e-3)


def test_what_was_drawn_scores_as_it_was_drawn(by_transformers: dict[str, Any], by_vllm: dict[str, Any]) -> None:
    by_text = {(STATEMENTS[s["problem"]], s["text"], s["finish_reason"]): s for s in by_vllm["plan"]["samples"]}
    found = 0
    for item, score in zip(by_transformers["items"], by_transformers["scores"], strict=True):
        sample = by_text.get((item["prompt"], item["text"], item["finish_reason"]))
        if sample is not None and sample["tokens"] == score["tokens"]:
            found += 1
            assert sample["logprobs"] == pytest.approx(score["logprobs"], abs=1e-3)
    assert found > 3


def test_no_two_samples_share_a_seed(drawn: dict[str, list[dict[str, Any]]]) -> None:
    assert len({sample["seed"] for sample in drawn["vllm"]}) == len(drawn["vllm"])
    assert len({sample["text"] for sample in drawn["vllm"]}) > len(drawn["vllm"]) / 4


def test_samples_come_as_they_finish(by_vllm: dict[str, Any]) -> None:
    """32 run at once and 256 are wanted: the first come long before the last."""
    times = by_vllm["plan"]["times"]
    assert times[0] < 0.5 * times[-1]
    assert len({round(each, 2) for each in times}) > 8
    lengths = [sample["tokens"] for sample in by_vllm["plan"]["samples"][:16]]
    assert sum(lengths) / 16 < sum(s["tokens"] for s in by_vllm["plan"]["samples"]) / 256  # short ones first


def test_a_sample_is_drawn_again_alone_and_after_others_were_dropped(by_vllm: dict[str, Any]) -> None:
    assert len(by_vllm["left"]["samples"]) == 3
    (again,) = by_vllm["alone"]["samples"]
    (first,) = [s for s in by_vllm["plan"]["samples"] if (s["problem"], s["index"]) == ("four", 5)]
    assert again["text"] == first["text"]


def test_temperature_0_draws_the_same_text_n_times(by_vllm: dict[str, Any]) -> None:
    texts = {(sample["problem"], sample["text"]) for sample in by_vllm["greedy"]["samples"]}
    assert len(by_vllm["greedy"]["samples"]) == 16
    assert len(texts) == 4


def test_a_prompt_that_is_too_long_is_named_and_the_others_are_drawn(by_vllm: dict[str, Any]) -> None:
    assert len(by_vllm["too_long"]["samples"]) == 8
    assert "long (" in by_vllm["too_long"]["error"]
    assert "256" in by_vllm["too_long"]["error"]


def test_a_sample_ends_where_the_context_does(by_vllm: dict[str, Any]) -> None:
    lengths = {(sample["finish_reason"], sample["tokens"]) for sample in by_vllm["full"]["samples"]}
    assert ("length", 6) in lengths
    assert max(tokens for _, tokens in lengths) == 6


def test_a_text_that_fills_the_context_is_scored(by_transformers: dict[str, Any], by_vllm: dict[str, Any]) -> None:
    (one,), (other,) = by_transformers["full"], by_vllm["score_full"]["scores"]
    assert one["tokens"] == other["tokens"] == 6
    assert one["logprobs"] == pytest.approx(other["logprobs"], abs=1e-3)


def test_a_stop_string_is_cut_off(by_vllm: dict[str, Any]) -> None:
    assert not any("Answer" in sample["text"] for sample in by_vllm["stop"]["samples"])
    assert any(sample["finish_reason"] == "stop" for sample in by_vllm["stop"]["samples"])


def test_parameters_that_vllm_does_not_take_are_a_sentence(by_vllm: dict[str, Any]) -> None:
    assert by_vllm["hot"]["samples"] == []
    assert "vLLM cannot draw with these sampling parameters: temperature must be in" in by_vllm["hot"]["error"]


def test_what_cannot_be_loaded_is_a_sentence(by_vllm: dict[str, Any]) -> None:
    assert {by_vllm[each]["kind"] for each in ("option", "missing", "context")} == {"UsageError"}
    assert "tensor_parallel_size" in by_vllm["option"]["error"]
    assert "nowhere could not be loaded: there is no such folder" in by_vllm["missing"]["error"]
    assert "max_model_len (100000) is greater" in by_vllm["context"]["error"]


def test_versions_name_library_and_precision(by_vllm: dict[str, Any], by_server: dict[str, Any]) -> None:
    assert by_vllm["version"].startswith("vllm")
    assert by_vllm["version"].endswith("float32")
    assert by_server["version"].startswith("server vllm 0.3")
    assert "127.0.0.1" not in by_server["version"]


def test_a_server_that_wants_another_key_or_has_another_model_says_so(
    vllm_server: VllmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    vllm_server.wait()
    options = {"base_url": vllm_server.url}
    for key, said in (
        ("", r"wants an API key, and none is in \$PASSK"),
        ("no-such-key", "does not accept the API key"),
    ):
        monkeypatch.setenv("PASSK_API_KEY", key)
        with pytest.raises(Exception, match=said) as raised:
            load_engine(SERVED, name="server", options=options)
        assert "no-such-key" not in str(raised.value)
    monkeypatch.setenv("PASSK_API_KEY", vllm_server.key)
    with pytest.raises(Exception, match=f"does not serve llama; it serves {SERVED}"):
        load_engine("llama", name="server", options=options)


def test_a_server_names_the_prompt_that_is_too_long(vllm_server: VllmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    vllm_server.wait()
    monkeypatch.setenv("PASSK_API_KEY", vllm_server.key)
    engine = load_engine("", name="server", options={"base_url": vllm_server.url})
    requests = [make_request("run", "long", LONG, range(2)), *plan(2)]
    found = []
    with pytest.raises(ValueError, match="prompt of long could not be sampled: it leaves no room"):
        for sample in engine.generate(requests, SamplingParams(max_tokens=8)):
            found.append(sample)
    assert len(found) == 8
