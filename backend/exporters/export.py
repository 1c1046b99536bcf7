"""Which function writes what in which form; its module is imported when it is wanted."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from backend.errors import AlreadyThere, UsageError
from backend.exporters.protocol import Exporter, ExportTask, Tell, provenance
from backend.plug_ins import PlugIns
from backend.records import VERDICTS, Run
from backend.records.exports import FIGURES, FORMS, Exported, ExportRequest
from backend.selection import resolve_selector
from backend.store.reads import Reader
from backend.wording import with_noun

# Which function writes what in which form; its module is imported when it is wanted.

EXPORTERS: PlugIns[Exporter] = PlugIns(
    "passk.exporters",
    "exporter",
    {
        "sets.csv": "backend.exporters.comparison:export_table",
        "sets.jsonl": "backend.exporters.comparison:export_table",
        "sets.parquet": "backend.exporters.comparison:export_table",
        "sets.md": "backend.exporters.comparison_documents:export_markdown",
        "sets.tex": "backend.exporters.comparison_documents:export_latex",
        "sets.html": "backend.exporters.comparison_documents:export_html",
        **{f"audit.{form}": "backend.exporters.comparison:export_audit" for form in FORMS["audit"]},
        **{f"{what}.{form}": "backend.exporters.drawing:export_drawing" for what in FIGURES for form in ("svg", "pdf")},
        **{f"{what}.csv": "backend.exporters.figures:export_points" for what in FIGURES},
        "paths.jsonl": "backend.exporters.samples:export_samples",
        "paths.parquet": "backend.exporters.samples:export_samples",
        "paths.md": "backend.exporters.samples:export_paths",
        **{f"judges.{form}": "backend.exporters.judges:export_judges" for form in FORMS["judges"]},
        "problems.jsonl": "backend.exporters.problems:export_problems",
        "problems.parquet": "backend.exporters.problems:export_problems",
        "problems.verl": "backend.exporters.problems:export_verl",
        "datasets.folder": "backend.exporters.datasets_folder:export_folder",
    },
    functions=True,
)
"""By what is exported and its form, `WHAT.FORM`; the form of another package's exporter is a file's ending."""


def forms_of(what: str) -> tuple[str, ...]:
    """The forms in which something can be exported, the usual one first.

    Raises:
        UsageError: no such thing can be exported.
    """
    if what not in FORMS:
        raise UsageError(f"{what} cannot be exported", next_step=f"One of {', '.join(FORMS)}.")
    more = (name.partition(".") for name in sorted(EXPORTERS.others))
    return (*FORMS[what], *(form for of, _, form in more if of == what))


def exporter_for(request: ExportRequest) -> Exporter:
    """The function that meets a request. Raises UsageError: there is none."""
    if (name := f"{request.what}.{request.form}") not in EXPORTERS:
        forms = ", ".join(forms_of(request.what))
        raise UsageError(f"{request.what} cannot be exported as {request.form}", next_step=f"Forms: {forms}.")
    return EXPORTERS.load(name)


# One export: resolved, written under a temporary name, renamed into place; all of it or nothing.

CARD = "README.md"
MARK = "passk-export"
"""Stands in the card of an exported folder: only such a folder is replaced."""

RIGHT = ("right", "not-right")
"""What `--verdict` may say of a perplexity."""

ROWS_ARE = {
    "sets": "problems",
    "audit": "problems",
    "paths": "samples",
    "problems": "problems",
    "datasets": "samples",
    "judges": "comparisons",
}


def form_of(what: str, path: Path, verl: bool = False) -> str:
    """The form that a file's ending asks for.

    Raises:
        UsageError: nothing can be exported under that name, or not in that form.
    """
    forms = forms_of(what)
    if forms == ("folder",):
        return "folder"
    ending = path.suffix.removeprefix(".").lower()
    ending = {"markdown": "md", "htm": "html", "json": "jsonl", "latex": "tex"}.get(ending, ending)
    if verl and what == "problems" and ending == "parquet":
        return "verl"
    if verl or ending not in forms:
        wanted = "verl's form is a .parquet of problems" if verl else f"{what} cannot be written as {path.name or path}"
        endings = ", ".join(f".{form}" for form in forms if form != "verl")
        raise UsageError(wanted, next_step=f"The ending chooses the form: {endings}.")
    return ending


def resolve_runs(reader: Reader, request: ExportRequest) -> tuple[Run, ...]:
    """The runs of a request. Raises UsageError: one does not exist, or they cannot be exported together."""
    runs = tuple({run.key: run for run in (reader.run(name) for name in request.runs)}.values())
    benchmarks = sorted({run.benchmark for run in runs})
    if not runs:
        raise UsageError("Which runs?", next_step="--run R (may be repeated), or --base R --rl R.")
    if len(benchmarks) > 1 and request.what not in ("paths", "datasets"):
        raise UsageError(
            f"These runs are of {len(benchmarks)} benchmarks: {', '.join(benchmarks)}",
            next_step="Compare runs of one benchmark: --benchmark B, or --run R.",
        )
    _check_verdict(request)
    if request.what in ("difference", "audit") and len(runs) != 2:
        what = "A difference" if request.what == "difference" else "An audit"
        raise UsageError(f"{what} is of two runs, not of {len(runs)}", next_step="--base R --rl R")
    return runs


def _check_verdict(request: ExportRequest) -> None:
    """Single samples have verdicts, groups of them are right or not; nothing else is chosen by verdict."""
    known = {"paths": VERDICTS, "perplexity": RIGHT}.get(request.what, ())
    if request.verdict is not None and request.verdict not in known:
        said = f"One of {', '.join(known)}." if known else "Only paths and perplexity are chosen by verdict."
        raise UsageError(f"--verdict {request.verdict}: not for {request.what}", next_step=said)
    if request.find is not None and request.what != "paths":
        raise UsageError("--find is for paths", next_step="passk export paths --find PATTERN --to FILE")


def export(
    reader: Reader, request: ExportRequest, path: Path, *, force: bool = False, tell: Tell = lambda done, total: None
) -> Exported:
    """Write one export.

    Args:
        path: the file, or for datasets the folder.
        force: overwrite what is there.
        tell: told how far it is; may raise Cancelled.

    Raises:
        UsageError: the request cannot be met, or something is there already.
        Cancelled: by `tell`, or the reader was interrupted. Nothing is left.
    """
    runs = resolve_runs(reader, request)
    exporter = exporter_for(request)
    meant = resolve_selector(reader, runs, request.problems) if request.problems.strip() else None
    if meant is not None and meant.problems is not None and not meant.problems:
        raise UsageError(f"No problem fits the filter: {meant.words}")
    with _saying_what_is_wrong(path):
        path = _named(path)
        _check_place(path, request, force)
    origin = provenance(reader, request, runs, meant.words if meant is not None else "")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.unfinished")
    job = ExportTask(reader, request, runs, meant.problems if meant is not None else None, origin, temporary, tell)
    try:
        with _saying_what_is_wrong(path):
            if request.form == "folder":
                temporary.mkdir()
            rows = exporter(job)
            size = _size(temporary)
            _into_place(temporary, path, force)
    finally:
        _discard(temporary)
    if origin.overridden:
        job.notes.append(f"{with_noun(origin.overridden, 'verdict')} overridden by hand")
    return Exported(str(path), rows, ROWS_ARE.get(request.what, "points"), size, tuple(job.notes))


@contextmanager
def _saying_what_is_wrong(path: Path) -> Iterator[None]:
    """Whatever the file system refuses becomes a sentence."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written", f"{error.strerror or error}", "Choose another place, or make room there."
        ) from error


def _named(path: Path) -> Path:
    """The path with the user's folder for ~, and with a last name, which `.` and `..` lack."""
    try:
        path = path.expanduser()
    except RuntimeError as error:
        raise UsageError(f"{path}: there is no such user", next_step="Write the folder's whole path.") from error
    return path if path.name not in ("", "..") else path.resolve()


def _check_place(path: Path, request: ExportRequest, force: bool) -> None:
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder {path.parent}", next_step="Make it first, or choose another place.")
    if request.form != "folder" and path.is_dir():
        raise UsageError(f"{path} is a folder", next_step="Name a file in it.")
    if not os.path.lexists(path):
        return
    if not force:
        raise AlreadyThere(f"{path} already exists", next_step="Choose another name, or overwrite it with --force.")
    if request.form == "folder" and not _is_export(path):
        raise UsageError(
            f"{path} is not an exported folder, so it is not replaced", next_step="Choose the name of a new folder."
        )


def _is_export(path: Path) -> bool:
    if path.is_symlink() or not path.is_dir():
        return False
    card = path / CARD
    return not any(path.iterdir()) or (card.is_file() and MARK in card.read_text(encoding="utf-8", errors="replace"))


def _size(path: Path) -> int:
    return sum(each.stat().st_size for each in (path.rglob("*") if path.is_dir() else [path]) if each.is_file())


def _into_place(temporary: Path, path: Path, force: bool) -> None:
    """Give what was written its name; what has appeared under that name meanwhile is overwritten only with force."""
    for file in temporary.rglob("*") if temporary.is_dir() else [temporary]:
        if file.is_file():
            with open(file, "rb") as written:
                os.fsync(written.fileno())
    if temporary.is_dir():
        old = path.with_name(f".{path.name}.{secrets.token_hex(4)}.old")
        if force and path.exists():
            os.rename(path, old)
        os.rename(temporary, path)
        _discard(old)
    elif force:
        os.replace(temporary, path)
    else:
        try:
            os.link(temporary, path)
        except FileExistsError as error:
            raise AlreadyThere(f"{path} has appeared meanwhile", next_step="Overwrite it with --force.") from error
        except OSError:
            # A file system without hard links.
            os.rename(temporary, path)


def _discard(path: Path) -> None:
    with suppress(OSError):  # a name that the file system does not take is not there either
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
