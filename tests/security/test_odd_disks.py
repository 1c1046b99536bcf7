"""A file system without locks, and a store that three users of one group share, whatever their umask is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from backend import merge, open_store
from backend.store.layout import StoreLayout
from backend.store.parts import waiting_parts
from tests.support import ROOT, Attempt, Passk, everything_in, jsonl, passk_command, qwen_line, write_part

SHIM = """
#include <errno.h>
int flock(int file, int operation) { (void)file; (void)operation; errno = ENOLCK; return -1; }
"""
CHOSEN = ("--benchmark", "b", "--store", "s.passk")


@pytest.fixture(scope="session")
def no_flock(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What makes `flock` fail in a process as it does on some network file systems."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs a C compiler for a library that takes flock away")
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(SHIM)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", folder / "shim.so", folder / "shim.c"], check=True)
    return {"LD_PRELOAD": str(folder / "shim.so")}


def test_the_shim_takes_flock_away(no_flock: dict[str, str], tmp_path: Path) -> None:
    program = f"import fcntl; fcntl.flock(open({str(tmp_path / 'x')!r}, 'w'), fcntl.LOCK_EX)"
    done = subprocess.run([sys.executable, "-c", program], env=no_flock, capture_output=True, encoding="utf-8")
    assert "No locks available" in done.stderr


def test_a_file_system_without_flock(run_passk: Passk, no_flock: dict[str, str]) -> None:
    """Everything works; of two imports at once each counts once."""
    files = [
        jsonl(run_passk.folder / f"{name}.jsonl", [qwen_line(f"{name}{i}?", [True, False] * 20) for i in range(40)])
        for name in "abcd"
    ]
    run_passk("import", files[0], "--model", "m", *CHOSEN, **no_flock)
    running = [run_passk.start("import", file, "--model", "m", *CHOSEN, **no_flock) for file in files[1:]]
    for process in running:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    run_passk("copy", "s.passk", "copy.passk", **no_flock)
    for store in ("s.passk", "copy.passk"):
        (run,) = run_passk("runs", "--store", store, "--format", "json", **no_flock).json
        assert (run["problems"], run["samples"], run["correct"]) == (160, 6_400, 3_200)
    run_passk("doctor", "--store", "s.passk", **no_flock)
    layout = StoreLayout(run_passk.folder / "s.passk")
    merge(layout)
    rows = everything_in(layout)["outcomes"]
    assert len({row[:3] for row in rows}) == len(rows) == 6_400


USERS = (61_001, 61_002, 61_003)
GROUP = 61_000


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become three users")
@pytest.mark.parametrize("umasks", [("022", "022", "022"), ("077", "077", "077"), ("022", "077", "002")])
def test_three_users_of_a_group_share_a_store(
    tmp_path_factory: pytest.TempPathFactory, umasks: tuple[str, ...]
) -> None:
    """Each imports, reads what the others imported, judges, merges; nobody locks another out."""
    if shutil.which("setpriv") is None:
        pytest.skip("needs setpriv")
    shared = Path("/tmp") / f"passk-shared-{os.getpid()}-{'-'.join(umasks)}"
    shared.mkdir()
    try:
        os.chown(shared, 0, GROUP)
        shared.chmod(0o2770)
        root = shared / "s.passk"
        root.mkdir()
        os.chown(root, USERS[0], GROUP)
        root.chmod(0o2770)

        def passk(user: int, *words: object) -> subprocess.CompletedProcess[str]:
            home = shared / f"home-{user}"
            if not home.exists():
                home.mkdir(mode=0o700)
                os.chown(home, USERS[user], GROUP)
            become = ["setpriv", f"--reuid={USERS[user]}", f"--regid={GROUP}", "--clear-groups"]
            # Python itself often lies in a folder of root's.
            become += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
            program = f'umask {umasks[user]}; exec "$@"'
            return subprocess.run(
                [*become, "sh", "-c", program, "sh", *passk_command(), *map(str, words), "--store", str(root)],
                cwd=ROOT, env={"PATH": os.environ["PATH"], "HOME": str(home), "PASSK_AUTHOR": f"user{user}"},
                capture_output=True, encoding="utf-8", timeout=120,
            )  # fmt: skip

        for user in range(3):
            file = jsonl(shared / f"{user}.jsonl", [qwen_line(f"{user}?", [True] * 10, idx=user)])
            done = passk(user, "import", file, "--model", f"m{user}", "--benchmark", "b")
            assert done.returncode == 0, done.stderr
        for user in range(3):
            done = passk(user, "runs", "--format", "csv")
            assert [line.split(",")[0] for line in done.stdout.splitlines()[1:]] == ["m0@b", "m1@b", "m2@b"], (
                done.stderr
            )
            other = (user + 1) % 3
            done = passk(
                user, "judge", "--run", f"m{other}@b", "--problem", str(other), "--sample", "0", "--judgement", "valid"
            )
            assert done.returncode == 0, done.stderr
        layout = StoreLayout(root)
        assert passk(2, "runs").returncode == 0
        assert waiting_parts(layout) == [], "what three users wrote, one has merged"
        with closing(open_store(layout, merging=False)) as database, closing(database.cursor()) as cursor:
            authors = cursor.execute("SELECT author FROM judgements ORDER BY author").fetchall()
        assert authors == [("user0",), ("user1",), ("user2",)]
        for path in root.rglob("*"):
            found = path.stat()
            assert found.st_gid == GROUP, path
            assert found.st_mode & 0o060 == 0o060, f"{path} {found.st_mode:o}"
            assert not found.st_mode & 0o002, path
    finally:
        shutil.rmtree(shared)


def test_a_part_can_be_written_where_links_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on FAT and some network file systems."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    layout = StoreLayout(tmp_path / "s.passk")
    write_part(layout, "0010-samples", [Attempt("p", 0)])
    assert merge(layout).merged == ("0010-samples",)
    assert len(everything_in(layout)["outcomes"]) == 1
