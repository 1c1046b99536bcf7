"""What the transformers engine does where memory runs out, and what it says of devices and precisions.

Memory really runs out: the process that draws may not have more than a little.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.engines.protocol import SamplingParams, TextToScore, make_request
from backend.engines.registry import load_engine
from backend.errors import UsageError
from tests.support import run_python

LIMITED = """
import json, resource, sys

from backend.engines.protocol import SamplingParams, TextToScore, make_request
from backend.engines.registry import load_engine
from backend.errors import UsageError

what, folder, batch, room = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])


def allow(megabytes):
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (megabytes << 20), -1))


def draw(wanted):
    prompts = {p: f"Numbers: 3 5 7 {p}. Target: 24.\\n" + LONG for p in (2, 4)}
    requests = [make_request("memory", str(p), prompt, range(wanted)) for p, prompt in prompts.items()]
    return {f"{s.problem} {s.index}": s.text for s in engine.generate(requests, SamplingParams(max_tokens=60))}


def score(wanted):
    items = [TextToScore("Numbers: 3 5.\\n", "Try" + LONG + " 8" * place) for place in range(wanted)]
    return [score.logprobs for score in engine.score(items)]


import torch

torch.set_num_threads(1)
LONG = ""
engine = load_engine(folder, options={"device": "cpu", "batch": batch})
do = {"draw": draw, "score": score}[what]
do(2)  # what the first time needs of its own
LONG = " 7" * (100 if engine._limit == 256 else 500)
allow(room)
try:
    print(json.dumps({"done": do(batch), "batch": engine.batch}))
except RuntimeError as error:
    print(json.dumps({"error": str(error)}))
"""


def limited(what: str, folder: Path, batch: int, room: int) -> tuple[dict[str, Any], str]:
    """What a process with so many megabytes to spare says, and what it writes into its log."""
    # What is freed goes back at once, so that nothing but the limit says how much there is.
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "500000", "OMP_NUM_THREADS": "1"}
    done = run_python(LIMITED, what, folder, batch, room, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


@pytest.fixture(scope="module")
def enough(models: Path) -> Iterator[Any]:
    """The engine where there is memory enough."""
    engine = load_engine(str(models / "countdown-base"), options={"device": "cpu"})
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def wide(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of which a single text needs much memory."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("wide")
    words = AutoTokenizer.from_pretrained(models / "countdown-base")
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 1, "head_dim": 32}
    sizes |= {"vocab_size": len(words), "intermediate_size": 30_000, "max_position_embeddings": 4096}
    torch.manual_seed(0)
    LlamaForCausalLM(LlamaConfig(**sizes, eos_token_id=2)).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def test_a_batch_that_does_not_fit_is_drawn_in_halves_with_the_same_texts(models: Path, enough: Any) -> None:
    prompts = [f"Numbers: 3 5 7 {p}. Target: 24.\n" + " 7" * 100 for p in (2, 4)]
    requests = [make_request("memory", str(p), prompt, range(64)) for p, prompt in zip((2, 4), prompts, strict=True)]
    texts = {f"{s.problem} {s.index}": s.text for s in enough.generate(requests, SamplingParams(max_tokens=60))}
    scarce, said = limited("draw", models / "countdown-base", 64, 12)
    assert len(scarce["done"]) == 128
    assert scarce["done"] == texts
    assert scarce["batch"] < 64
    first = said.splitlines()[0]
    assert first.startswith("this machine ran out of memory with a batch of 64 samples. What had not finished (")
    assert first.endswith(
        "from here on a batch is 32 (--option batch=32 begins with that; dtype=bfloat16 takes half of float32)."
    )


def test_texts_that_do_not_fit_together_are_scored_in_halves(models: Path, enough: Any) -> None:
    items = [TextToScore("Numbers: 3 5.\n", "Try" + " 7" * 100 + " 8" * place) for place in range(60)]
    scarce, _ = limited("score", models / "countdown-base", 60, 6)
    for one, other in zip(enough.score(items), scarce["done"], strict=True):
        assert other == pytest.approx(list(one.logprobs), abs=1e-4)


@pytest.mark.parametrize("what, doing", [("draw", "one sample of up to 60 tokens"), ("score", "scoring one text of ")])
def test_a_machine_too_small_for_one_says_what_to_change(wide: Path, what: str, doing: str) -> None:
    done, _ = limited(what, wide, 1, 20)
    sentence = done["error"]
    assert f"The memory of this machine does not suffice for {doing}" in sentence
    assert re.search(r"beside the model, which takes \d\.\d GiB in float32: dtype=bfloat16 takes half of", sentence)
    assert "\n" not in sentence


@pytest.mark.parametrize(
    "options, says",
    [
        ({"device": "gpu"}, "There is no device gpu.*device is cpu, cuda, or cuda:1"),
        ({"device": "cuda:99"}, "There is no device cuda:99 here: "),
        ({"dtype": "bf16"}, "There is no dtype bf16.*bfloat16"),
    ],
)
def test_what_no_device_or_precision_is_ends_in_a_sentence(models: Path, options: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_engine(str(models / "countdown-base"), options={"device": "cpu"} | options)
    assert re.search(says, str(caught.value).replace("\n", " "))


def test_a_batch_that_nobody_asked_for_is_what_the_gpu_holds(models: Path) -> None:
    from transformers import AutoConfig, GPT2Config, Qwen2Config

    from backend.engines.devices import MOST, USUAL, fitting_rows, token_bytes

    qwen = Qwen2Config(num_hidden_layers=28, num_attention_heads=28, num_key_value_heads=4, hidden_size=3584)
    assert token_bytes(qwen, 2) == 2 * 28 * 4 * 128 * 2 == 57_344
    assert token_bytes(GPT2Config(), 4) == 2 * 12 * 768 * 4
    assert token_bytes(AutoConfig.from_pretrained(models / "countdown-base"), 4) == 2 * 4 * 128 * 4
    assert token_bytes(object(), 2) == 0
    assert fitting_rows(60 << 30, 8192 * 57_344) == 109
    assert (fitting_rows(1 << 20, 1 << 30), fitting_rows(1 << 40, 1), fitting_rows(1 << 40, 0)) == (1, MOST, USUAL)


@pytest.mark.parametrize("padded", [False, True])
def test_heads_that_share_keys_attend_as_torch_has_it(padded: bool) -> None:
    import torch

    from backend.engines.attention import attend

    torch.manual_seed(1)
    query, key, value = (torch.randn(3, heads, count, 8) for heads, count in ((6, 1), (2, 20), (2, 20)))
    mask = torch.ones(3, 1, 1, 20, dtype=torch.bool)
    if padded:
        mask[1, ..., :7] = mask[2, ..., :19] = False
    output, _ = attend(None, query, key, value, mask if padded else None, scaling=0.3)
    repeated = (states.repeat_interleave(3, dim=1) for states in (key, value))
    expected = torch.nn.functional.scaled_dot_product_attention(query, *repeated, attn_mask=mask, scale=0.3)
    assert torch.allclose(output, expected.transpose(1, 2), atol=1e-6)


def test_the_precision_of_the_files_and_what_the_version_says_of_it(models: Path) -> None:
    for dtype, says in (("auto", "bfloat16"), ("float32", "float32")):
        engine = load_engine(str(models / "countdown-base"), options={"device": "cpu", "dtype": dtype})
        assert engine.version.endswith(f", {says}")
        engine.close()
