"""config.toml: every key is documented, what is unknown or wrong is refused with what to do."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from backend.configuration import KEYS, SAMPLING_KEYS, Configuration, example_configuration, read_configuration
from backend.engines.registry import ENGINES
from backend.errors import InputError
from tests.support import Passk

EXAMPLE = example_configuration()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.toml"
    monkeypatch.setenv("PASSK_CONFIG", str(path))
    return path


def test_the_example_sets_nothing_until_its_lines_are_uncommented(file: Path) -> None:
    defaults = read_configuration()
    file.write_text(EXAMPLE, encoding="utf-8")
    assert read_configuration() == defaults == Configuration(file)

    file.write_text(re.sub(r'^# (?=[a-z"][^ ]* = |"[^"]+" = )', "", EXAMPLE, flags=re.MULTILINE), encoding="utf-8")
    found = read_configuration()
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    assert set(data) == set(KEYS)
    assert set(data["sampling"]) == set(SAMPLING_KEYS)
    assert (found.add, found.engine) == (defaults.add, defaults.engine), "what is shown is the default"
    assert {engine["kind"] for engine in found.engines.values()} == {"transformers", "vllm", "server"}
    assert found.models == {"Qwen2.5-7B": "/models/Qwen2.5-7B"}


@pytest.mark.parametrize("option", [option for kind in ENGINES.every().values() for option in kind.options or ()])
def test_every_option_of_an_engine_is_in_the_example(option: str) -> None:
    assert re.search(rf"\b{option}\b", EXAMPLE)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[sampling]\nad = 3", "unknown key sampling.ad\\nDid you mean sampling.add?"),
        ("[model]\na = 'b'", "unknown key model\\nDid you mean models?"),
        ("[Engines]\n", "Did you mean engines?"),
        ("sampling = 3", "sampling must be a table"),
        ("[sampling]\nadd = 0", "sampling.add must be a whole number of 1 or more, not 0"),
        ("[sampling]\nadd = true", "not True"),
        ("[engines.gpu]\ndtype = 'float16'", "engines.gpu needs kind = one of transformers, vllm, server"),
        ("[engines.gpu]\nkind = 'vlm'", "engines.gpu needs kind"),
        ("[engines.a]\nkind = 'transformers'\ndevise = 'cpu'", "Did you mean engines.a.device?"),
        ("[engines.a]\nkind = 'server'\nbase-url = 'x'", "Did you mean engines.a.base_url?"),
        ("[models]\na = 3", "models.a must be a path in quotes, not 3"),
        ("[models\n", "cannot be read"),
    ],
)
def test_what_is_wrong_is_refused_and_named(file: Path, text: str, said: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read_configuration()
    assert str(file) in str(refused.value)
    assert said.replace("\\n", "\n") in str(refused.value)


def test_vllms_own_arguments_are_vllms_to_judge(file: Path) -> None:
    file.write_text("[engines.node]\nkind = 'vllm'\nmax_num_seqs = 512", encoding="utf-8")
    assert read_configuration().engine_options("node") == ("vllm", {"max_num_seqs": 512})


def test_the_command_prints_what_it_reads(run_passk: Passk) -> None:
    done = run_passk("config")
    assert done.stdout == EXAMPLE
    assert "config.toml is not there" in done.stderr
    path = run_passk.folder / "c.toml"
    path.write_text(done.stdout, encoding="utf-8")
    assert "c.toml is there and in order" in run_passk("config", PASSK_CONFIG=str(path)).stderr
    path.write_text("ad = 3", encoding="utf-8")
    assert "unknown key ad" in run_passk("config", PASSK_CONFIG=str(path), status=1).stderr
