"""The models that the project ships, vLLM in an environment of its own, and a real vLLM server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.engines import vllm_environment
from tests.support import ROOT

PROGRAM = Path(__file__).with_name("engine_program.py")
SERVER_KEY = "a key that only these tests use".replace(" ", "-")
SERVED = "countdown"


@pytest.fixture(scope="session")
def model_folder() -> Path:
    """A tiny model of the sample data; $PASSK_TEST_MODELS names another folder of models."""
    models = Path(os.environ.get("PASSK_TEST_MODELS") or ROOT / "sample_data" / "models")
    found = sorted(path.parent for path in models.glob("*/config.json"))
    if not found:
        pytest.skip(f"{models} holds no model")
    return next((folder for folder in found if folder.name == "countdown-base"), found[0])


@pytest.fixture(scope="session")
def vllm_python() -> Path:
    """The Python of vLLM's environment, which is made the first time."""
    try:
        return vllm_environment.make_environment(vllm_environment.default_folder())
    except vllm_environment.Unavailable as reason:
        pytest.skip(f"vLLM cannot run here: {reason}")


def run_engine(python: Path, load: dict[str, Any], *steps: dict[str, Any]) -> dict[str, Any]:
    """Load an engine in vLLM's environment and do the steps; see engine_program.py."""
    done = subprocess.run(
        [str(python), str(PROGRAM)],
        input=json.dumps({"load": load, "steps": steps}),
        env=vllm_environment.settings(),
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout))


@dataclass
class VllmServer:
    """A server process and where it listens."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    key: str = field(default=SERVER_KEY, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def wait(self, seconds: float = 240.0) -> None:
        """Until it answers."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text(errors="replace")[-3000:]
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.5)
        raise AssertionError(f"vLLM's server did not start in {seconds} s")


@pytest.fixture(scope="session")
def vllm_server(
    vllm_python: Path, model_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VllmServer]:
    """An OpenAI server of vLLM on loopback, starting; call `wait` before it is used."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("vllm") / "server.log"
    command = [str(vllm_python), "-m", "vllm.entrypoints.openai.api_server", "--model", str(model_folder)]
    command += ["--served-model-name", SERVED, "--host", "127.0.0.1", "--port", str(port)]
    # Seeds do not go together with prompts that are read in pieces, in the CPU build; see backend/engines/vllm.py.
    command += ["--dtype", "float32", "--enforce-eager", "--no-enable-chunked-prefill"]
    environment = vllm_environment.settings() | {"VLLM_API_KEY": SERVER_KEY}
    with open(log, "wb") as sink:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
    yield VllmServer(process, port, log)
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=20)
