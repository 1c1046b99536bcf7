"""The transformers engine on the shipped models: redraws, batches, scores, stops, missing packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backend.engines.protocol import (
    EngineUnavailable,
    PromptRequest,
    SamplingParams,
    TextToScore,
    make_request,
    sample_seed,
)
from backend.jobs.templates import render_prompt

DATA = Path(__file__).resolve().parent.parent.parent / "sample_data"
BASE = DATA / "models" / "countdown-base"
RUN = "countdown-base@countdown"

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'passk-explorer[transformers]'")
pytest.importorskip("transformers", reason="transformers is not installed")
pytestmark = pytest.mark.skipif(not BASE.is_dir(), reason="sample_data/models is not here")


@pytest.fixture(scope="module")
def engine():
    from backend.engines.transformers import TransformersEngine

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    made = TransformersEngine.load(BASE, device="cpu")
    yield made
    made.close()
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def stored():
    """Rows of three problems of each run of the base and the distilled model, by run."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    wanted = [("problem", "in", ["c003", "c101", "c160"]), ("index", "<", 8)]
    return {path.stem: parquet.read_table(path, filters=wanted).to_pylist() for path in (DATA / "samples").glob("*")}


def requests_for(rows, size):
    """The rows' requests, `size` samples of a problem in each."""
    found = []
    for row in rows:
        prompt = render_prompt(row["template"], row["statement"])
        found.append((row["problem"], prompt, row["index"], row["seed"]))
    for start in range(0, len(found), size):
        part = found[start : start + size]
        for problem in dict.fromkeys(item[0] for item in part):
            mine = [item for item in part if item[0] == problem]
            indices, seeds = tuple(i[2] for i in mine), tuple(i[3] for i in mine)
            yield PromptRequest(problem, mine[0][1], indices, seeds)


def params_of(row):
    return SamplingParams(row["temperature"], row["top_p"], row["max_tokens"])


@pytest.mark.parametrize("batch", [1, 5, 256])
def test_twenty_stored_samples_are_redrawn_in_any_batch(stored, batch):
    from backend.engines.transformers import TransformersEngine

    rows = [row for row in stored[RUN] if row["index"] < 7][:20]
    assert len(rows) == 20
    small = TransformersEngine.load(BASE, device="cpu", batch=batch)
    drawn = {(s.problem, s.index): s for s in small.generate(list(requests_for(rows, 24)), params_of(rows[0]))}
    for row in rows:
        sample = drawn[row["problem"], row["index"]]
        assert (sample.text, sample.tokens, sample.finish_reason, sample.seed) == (
            *(row["text"], row["tokens"], row["finish_reason"], row["seed"]),
        )
        assert sample.logprob_sum == pytest.approx(row["logprob_sum"], abs=1e-3)


def test_every_run_redraws(stored):
    from backend.engines.transformers import TransformersEngine

    assert stored
    for run, rows in stored.items():
        other = TransformersEngine.load(DATA / "models" / rows[0]["model"], device="cpu")
        drawn = {(s.problem, s.index): s.text for s in other.generate(list(requests_for(rows, 24)), params_of(rows[0]))}
        assert drawn == {(row["problem"], row["index"]): row["text"] for row in rows}, run


def test_stored_seeds_follow_from_run_problem_and_index(stored):
    for run, rows in stored.items():
        assert [row["seed"] for row in rows] == [sample_seed(run, row["problem"], row["index"]) for row in rows]


def test_scores_equal_the_stored_sums(engine, stored):
    rows = stored[RUN]
    items = [TextToScore(render_prompt(r["template"], r["statement"]), r["text"], r["finish_reason"]) for r in rows]
    for row, score in zip(rows, engine.score(items), strict=True):
        assert score.tokens == row["tokens"] == len(score.logprobs)
        assert score.logprob_sum == pytest.approx(row["logprob_sum"], abs=1e-3)


def test_one_text_scores_the_same_alone_and_padded(engine):
    items = [
        TextToScore("Numbers: 3 8 3. Target: 14.\n", "Try sums: 3 + 8 = 11."),
        TextToScore("Numbers: 3", " 8", "length"),
    ]
    together = list(engine.score(items))
    for item, score in zip(items, together, strict=True):
        (alone,) = engine.score([item])
        assert alone.logprobs == pytest.approx(score.logprobs, abs=1e-4)
    assert [score.tokens for score in together] == [10, 1]


def test_prompts_of_different_lengths_share_a_batch(engine):
    prompts = ["Numbers: 3 8 3. Target: 14.\n", "Numbers: 3 5 7 2 9. Target: 24.\n", "Numbers: 3 5"]
    requests = [make_request("mixed", str(i), prompt, range(4)) for i, prompt in enumerate(prompts)]
    params = SamplingParams(1.0, 0.95, 60, logprobs=True)
    mixed = {(s.problem, s.index): s for s in engine.generate(requests, params)}
    assert len(mixed) == 12
    for request in requests:
        for sample in engine.generate([request], params):
            same = mixed[sample.problem, sample.index]
            assert same.text == sample.text
            assert same.logprobs == pytest.approx(sample.logprobs, abs=1e-4)
            assert sum(sample.logprobs) == pytest.approx(sample.logprob_sum)


def test_a_shorter_limit_gives_the_beginning(engine):
    request = make_request("limit", "p", "Numbers: 3 5 7 2. Target: 24.\n", range(8))
    long = {s.index: s for s in engine.generate([request], SamplingParams(max_tokens=100))}
    for sample in engine.generate([request], SamplingParams(max_tokens=5)):
        assert (sample.tokens, sample.finish_reason) == (5, "length")
        assert long[sample.index].token_ids[:5] == sample.token_ids


def test_temperature_zero_is_greedy(engine):
    request = make_request("greedy", "p", "Numbers: 3 5 7 2. Target: 24.\n", range(5))
    params = SamplingParams(temperature=0.0, max_tokens=100)
    assert len({sample.text for sample in engine.generate([request], params)}) == 1


def test_stop_strings_end_a_sample_and_are_cut_off(engine):
    request = make_request("stop", "p", "Numbers: 3 5 7 2. Target: 24.\n", range(6))
    free = {s.index: s.text for s in engine.generate([request], SamplingParams(max_tokens=120))}
    for sample in engine.generate([request], SamplingParams(max_tokens=120, stop=("Answer", ". I"))):
        assert sample.text == free[sample.index].split("Answer")[0]
        assert sample.finish_reason == "stop"


def test_a_prompt_that_fills_the_context_is_refused(engine):
    request = make_request("full", "p", "Numbers:" + " 3" * 300, [0])
    with pytest.raises(ValueError, match="leave no room in the model's context of 256 tokens"):
        list(engine.generate([request], SamplingParams()))


def test_a_row_near_the_end_of_the_context_does_not_depend_on_its_neighbours(engine):
    long, short = "Numbers:" + " 3" * 240, "Numbers: 3 5 7 2. Target: 24.\n"
    requests = [make_request("room", str(i), prompt, range(3)) for i, prompt in enumerate((long, short))]
    params = SamplingParams(max_tokens=100)
    together = {(s.problem, s.index): s.token_ids for s in engine.generate(requests, params)}
    apart = {(s.problem, s.index): s.token_ids for request in requests for s in engine.generate([request], params)}
    assert together == apart


def test_a_prompt_without_tokens_is_refused(engine):
    from backend.engines.decoding import decode

    rows = decode(engine._model, [[]], [0], [1], SamplingParams(), pad_id=0, eos_ids=frozenset({2}), limit=256)
    with pytest.raises(ValueError, match="a prompt has no tokens"):
        next(rows)


@pytest.mark.parametrize("family", ["Llama", "Mistral", "Qwen2", "Gemma3Text", "GPT2"])
def test_greedy_texts_equal_those_of_generate_for_other_architectures(engine, family):
    import transformers

    from backend.engines.transformers import TransformersEngine

    words = engine._tokenizer
    sizes = {"vocab_size": len(words), "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2}
    sizes |= {
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "max_position_embeddings": 96,
    }
    sizes |= {"eos_token_id": 2, "bos_token_id": 1, "pad_token_id": 0}
    if family in ("Mistral", "Gemma3Text"):
        sizes["sliding_window"] = 8
    if family == "GPT2":
        sizes = {
            "vocab_size": len(words),
            "n_embd": 32,
            "n_layer": 2,
            "n_head": 2,
            "n_positions": 96,
            "eos_token_id": 2,
        }
    torch.manual_seed(3)
    name = "GPT2LMHeadModel" if family == "GPT2" else f"{family.removesuffix('Text')}ForCausalLM"
    model = getattr(transformers, name)(getattr(transformers, f"{family}Config")(**sizes)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(8)  # far from uniform, so that greedy choices are clear
    prompts = ["Numbers: 3 5 7 2. Target: 24.\n", "Numbers: 3 8", "Numbers: 3 8 3. Target: 14.\n"]
    expected = []
    for prompt in prompts:  # before the engine sees the model: it may change how the model attends
        ids = words(prompt, return_tensors="pt")["input_ids"]
        whole = model.generate(ids, do_sample=False, max_new_tokens=30, pad_token_id=0, eos_token_id=2)
        expected.append(whole[0, ids.shape[1] :].tolist())
    requests = [make_request(family, str(i), prompt, [0]) for i, prompt in enumerate(prompts)]
    made = TransformersEngine(model, words)
    shares = family != "GPT2"
    assert (model.config._attn_implementation == "passk_shared_keys") == shares
    drawn = {int(s.problem): s for s in made.generate(requests, SamplingParams(temperature=0.0, max_tokens=30))}
    assert [list(drawn[i].token_ids) for i in range(len(prompts))] == expected


def test_draws_follow_the_distribution():
    from backend.engines.decoding import pick

    probabilities = torch.tensor([0.5, 0.03, 0.3, 0.02, 0.15])
    rows = 20_000
    logits = probabilities.log().repeat(rows, 1)
    uniforms = (torch.arange(rows, dtype=torch.float64) + 0.5) / rows
    ids, logprobs = pick(logits, uniforms, SamplingParams())
    assert torch.bincount(ids).div(rows).tolist() == pytest.approx(probabilities.tolist(), abs=1e-3)
    assert logprobs.exp().tolist()[:3] == pytest.approx([0.5] * 3)
    ids, logprobs = pick(logits, uniforms, SamplingParams(top_p=0.9))
    assert torch.bincount(ids, minlength=5).div(rows).tolist() == pytest.approx(
        [0.5 / 0.95, 0, 0.3 / 0.95, 0, 0.15 / 0.95], abs=1e-3
    )
    assert set(logprobs.exp().mul(100).round().int().tolist()) == {50, 30, 15}  # before top-p
    ids, _ = pick(logits, uniforms, SamplingParams(temperature=0.5))
    squares = probabilities**2 / (probabilities**2).sum()
    assert torch.bincount(ids).div(rows).tolist() == pytest.approx(squares.tolist(), abs=1e-3)
    edge = torch.tensor([1 - 1e-16], dtype=torch.float64)
    ids, _ = pick(torch.tensor([[0.0, 0.0, -1e9]]), edge, SamplingParams())
    assert ids.tolist() == [1]


def test_a_missing_package_ends_in_one_sentence(monkeypatch):
    from backend.engines import transformers as module

    def refuse(name):
        raise ImportError(name)

    monkeypatch.setattr(module, "import_module", refuse)
    with pytest.raises(EngineUnavailable) as caught:
        module.TransformersEngine.load("anywhere")
    assert "pip install 'passk-explorer[transformers]'" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_model_says_where(tmp_path):
    from backend.engines.transformers import TransformersEngine

    with pytest.raises(EngineUnavailable, match="could not be loaded"):
        TransformersEngine.load(tmp_path / "nothing")


def test_importing_the_engine_imports_no_model_library():
    code = (
        "import sys, backend.engines.transformers, backend.engines.protocol, backend.verifiers.expression;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'textual', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=DATA.parent, check=False).returncode == 0


def test_parameters_are_checked():
    for wrong in ({"temperature": -1}, {"top_p": 0}, {"top_p": 1.1}, {"max_tokens": 0}, {"stop": ("",)}):
        with pytest.raises(ValueError, match="must"):
            SamplingParams(**wrong)
    with pytest.raises(ValueError, match="1 indices but 2 seeds"):
        PromptRequest("p", "x", (0,), (1, 2))


def test_seeds_are_63_bits_and_differ():
    seeds = {sample_seed(run, f"c{p:03d}", i) for run in ("a", "b") for p in range(100) for i in range(100)}
    assert len(seeds) == 20_000
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert sample_seed("a1", "c", 1) != sample_seed("a", "1c", 1)
    assert isinstance(sample_seed("", "", 0), int)
