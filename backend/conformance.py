r"""Whether a plug-in keeps its protocol: for whoever writes one, here or in another package.

`passk doctor --plugin NAME` checks an installed one. In tests of one's own:

    from backend.conformance import check_plug_in

    def test_my_verifier() -> None:
        assert check_plug_in("verifier", MyVerifier()) == []

An importer is checked with a file of its format as `example`, an engine with a model; without one only what can be
said without it is. Nothing here measures how good a plug-in is: a verifier that calls everything wrong conforms.
"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, get_args

from backend.engines.protocol import SamplingParams, TextToScore, make_request
from backend.engines.registry import ENGINES
from backend.errors import PasskError
from backend.exporters.export import EXPORTERS, export
from backend.importers.discovery import IMPORTERS
from backend.importers.protocol import Block, Counts, Notes, Options
from backend.importers.source import SourceFile
from backend.plug_ins import PlugIns
from backend.records import VERDICTS
from backend.records.exports import FORMS, ExportRequest
from backend.step_checkers import STEP_CHECKERS, Checked, Validity
from backend.store.database import open_store
from backend.store.reads import Reader
from backend.verifiers.pool import VerifierPool, is_cheap, limits_of
from backend.verifiers.protocol import Task
from backend.verifiers.registry import VERIFIERS

PLUG_INS: tuple[PlugIns[Any], ...] = (ENGINES, VERIFIERS, STEP_CHECKERS, IMPORTERS, EXPORTERS)
"""Every kind of plug-in."""

TEXTS = (
    "", " \n", "\0", "\ud800", "\u202e\x1b[31m", "\\boxed{", "\\boxed{" * 300, "\\boxed{}", r"so \boxed{7}", "7",
    "the answer is (B).", "3 + 4 = 8", "\u0663", "$" * 1_000, "9" * 100_000, "(" * 50_000, r"\boxed{9^{9^{9}}}",
)  # fmt: skip
"""What models write, and what nobody should."""
FILES = (b"", b"\0\x01\x02", b"not a result file\n", b"[]", b"{}", b'{"unknown": [1, 2]}\n' * 3, b"a,b\n1,2\n")
"""Files that are of no format."""
MODEL_PROMPTS = ("1 + 1 =", "Once upon a time")


def check_plug_in(what: str, plug_in: Any, *, example: str | None = None, name: str = "") -> list[str]:
    """What is wrong with a plug-in, a sentence each; nothing where it keeps its protocol.

    Args:
        what: engine, verifier, step checker, importer or exporter.
        plug_in: the object that an entry point leads to, or that its class makes.
        example: for an importer a file of its format, for an engine a model.
        name: of its entry point.
    """
    check = {
        "engine": _engine, "verifier": _verifier, "step checker": _step_checker, "importer": _importer,
        "exporter": _exporter,
    }[what]  # fmt: skip
    found = [] if what == "exporter" else list(_named(plug_in, name))
    try:
        found.extend(check(plug_in, name if what == "exporter" else example))
    except Exception as error:
        found.append(f"it raised {type(error).__name__}: {error}")
    return found


def check_installed(name: str, example: str | None = None) -> dict[str, list[str]]:
    """What `check_plug_in` says of every installed plug-in of that name, by its kind.

    Raises:
        UsageError: there is none of that name.
    """
    kinds = [kind for kind in PLUG_INS if name in kind]
    if not kinds:
        everything = {known: "" for kind in PLUG_INS for known in kind.names()}
        PlugIns("", "plug-in", everything).require(name)
    found = {}
    for kind in kinds:
        try:
            found[kind.what] = check_plug_in(kind.what, kind.load(name), example=example, name=name)
        except PasskError as error:
            found[kind.what] = [str(error)]
    return found


def _named(plug_in: Any, name: str) -> Iterator[str]:
    said = getattr(plug_in, "name", None)
    if not isinstance(said, str) or not said:
        yield "it has no name"
    elif name and said != name:
        yield f"its name is {said}, and its entry point calls it {name}"


def _versioned(plug_in: Any) -> Iterator[str]:
    if not isinstance(plug_in.version, str) or not plug_in.version:
        yield "it has no version, which must change when what it says may change"


def _tasks() -> list[Task]:
    known: dict[str, Any] = {"numbers": [3, 4], "target": 7}
    return [
        Task(text, reason, "What is 3 + 4?", reference, known)
        for text in TEXTS
        for reason, reference in (("stop", "7"), ("length", None), (None, "\\frac{14}{2}"))
    ]


def _verifier(verifier: Any, _: str | None) -> Iterator[str]:
    yield from _versioned(verifier)
    deadline, memory = limits_of(verifier)
    if not deadline > 0 or not memory > 0:
        yield f"its deadline of {deadline} s and its memory of {memory} bytes must be above 0"
        return
    pickle.loads(pickle.dumps(verifier))
    tasks = [*enumerate(_tasks()), *enumerate(_tasks())]
    said: dict[int, set[Any]] = {}
    with VerifierPool[int](verifier, 1) as pool:
        for number, task in tasks:
            pool.submit(number, task)
        for number, verdict in pool.finish():
            said.setdefault(number, set()).add(verdict)
            # Others may take longer than their deadline: that is what it is for.
            late = is_cheap(verifier) and verdict.verdict == "timeout"
            if late or verdict.detail.startswith(("The verifier failed", "The verifier returned")):
                yield f"on {_short(tasks[number][1].text)}: {verdict.detail}"
    for number, verdicts in said.items():
        if len(verdicts) > 1:
            yield f"on {_short(tasks[number][1].text)} it says two things: {', '.join(map(str, verdicts))}"


def _step_checker(checker: Any, _: str | None) -> Iterator[str]:
    yield from _versioned(checker)
    for task in _tasks():
        once, again = checker.check(task), checker.check(task)
        if not isinstance(once, Checked) or once.judgement not in get_args(Validity) or not once.note:
            yield f"on {_short(task.text)} it returned {once!r}: no judgement with a note"
        elif once != again:
            yield f"on {_short(task.text)} it says two things: {once} and {again}"


def _importer(importer: Any, example: str | None) -> Iterator[str]:
    if not isinstance(importer.title, str) or not importer.title:
        yield "it has no title"
    with tempfile.TemporaryDirectory() as folder:
        for number, content in enumerate(FILES):
            path = Path(folder, f"{number}.jsonl")
            path.write_bytes(content)
            if importer.recognise(SourceFile(path), Options()):
                yield f"it takes {content[:40]!r} for its own"
    if example is None:
        return
    if not importer.recognise(SourceFile(Path(example)), Options()):
        yield f"it does not recognise {example}"
        return

    def read() -> list[Block | Counts]:
        return list(importer.read(SourceFile(Path(example)), Options(), Notes()))

    blocks = read()
    if not blocks:
        yield f"it finds nothing in {example}"
    if blocks != read():
        yield f"it reads {example} in two ways"
    for block in blocks:
        if isinstance(block, Counts):
            if not 0 <= block.c <= block.n:
                yield f"{block.c} of {block.n} are correct at row {block.row}"
            continue
        if unknown := set(block.verdicts) - set(VERDICTS):
            yield f"problem {block.problem.id} has the verdicts {', '.join(map(repr, sorted(unknown)))}"
        for column in ("rows", "texts", "answers", "details", "tokens", "finish_reasons", "seeds", "indices"):
            values = getattr(block, column)
            if values is not None and len(values) != len(block.verdicts):
                yield f"problem {block.problem.id} has {len(block.verdicts)} verdicts and {len(values)} {column}"


def _exporter(exporter: Callable[..., int], name: str | None) -> Iterator[str]:
    from backend.sample_store import sample_store

    what, _, form = (name or "").partition(".")
    if what not in FORMS or not form:
        yield f"its entry point is called {name}; it must be WHAT.FORM, and what one of {', '.join(FORMS)}"
        return
    layout = sample_store(lambda _: None)
    with (
        closing(open_store(layout, merging=False)) as database,
        Reader(database) as reader,
        tempfile.TemporaryDirectory() as folder,
    ):
        with_texts = [run for run in reader.runs() if run.texts]
        pair = [run.name for run in with_texts if run.benchmark == with_texts[0].benchmark][:2]
        request = ExportRequest(what, form, tuple(pair))
        paths = [Path(folder, f"{place}.{form}") for place in ("a", "b")]
        rows = [export(reader, request, path).rows for path in paths]
        if not rows[0]:
            yield "it wrote no row of the sample store"
        if all(path.is_file() for path in paths) and paths[0].read_bytes() != paths[1].read_bytes():
            yield "it writes other bytes for the same request"


def _engine(kind: Any, model: str | None) -> Iterator[str]:
    if not isinstance(kind.example, str) or any(line[:2] != "# " for line in kind.example.splitlines()):
        yield "every line of its example for config.toml begins with '# '"
    if model is None:
        return
    engine = kind.load(model, {})
    try:
        yield from _drawing(engine)
    finally:
        engine.close()


def _drawing(engine: Any) -> Iterator[str]:
    yield from _versioned(engine)
    requests = [make_request("run", f"p{place}", prompt, range(3)) for place, prompt in enumerate(MODEL_PROMPTS)]
    wanted = {
        (request.problem, index, seed)
        for request in requests
        for index, seed in zip(request.indices, request.seeds, strict=True)
    }
    samples = list(engine.generate(requests, SamplingParams(max_tokens=8)))
    drawn = [(sample.problem, sample.index, sample.seed) for sample in samples]
    if len(drawn) != len(set(drawn)) or set(drawn) != wanted:
        yield f"asked for {len(wanted)} samples it drew {len(drawn)}, with other indices or seeds, or some twice"
    for sample in samples:
        if sample.finish_reason not in ("stop", "length") or not 0 < sample.tokens <= 8:
            yield f"a sample of at most 8 tokens has {sample.tokens} and the finish reason {sample.finish_reason!r}"
    items = [TextToScore(MODEL_PROMPTS[0], sample.text, "length") for sample in islice(samples, 3)]
    scores = list(engine.score(items))
    if len(scores) != len(items) or any(score.tokens != len(score.logprobs) for score in scores):
        yield f"{len(items)} texts were scored as {len(scores)}, or with other than one number a token"


def _short(text: str) -> str:
    return ascii(text if len(text) <= 20 else f"{text[:20]}... ({len(text):,} characters)")
