"""The shape of the project: arrows, what loads what, where SQL and text may stand, private names."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCREENS = {"textual", "textual_plotext", "plotext", "rich"}
ENGINES = {"torch", "vllm", "transformers", "datasets", "trl"}
HEAVY = {"textual", "textual_plotext", "plotext", "duckdb", "pyarrow", "numpy"}


@cache
def modules(folder: str) -> dict[Path, ast.Module]:
    """Every module of a folder of the project, by its path in the project."""
    return {
        path.relative_to(ROOT): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


def dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


# Arrows


def test_import_contracts() -> None:
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    result = subprocess.run([sys.executable, "-c", command, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def loaded_by(*names: str) -> set[str]:
    """Top-level packages that are there after a fresh process has imported these modules."""
    program = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
    program += "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    result = subprocess.run([sys.executable, "-c", program, *names], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


def test_backend_loads_no_screen_and_no_engine() -> None:
    assert not loaded_by("backend") & (SCREENS | ENGINES)


@pytest.mark.parametrize("area", ["store", "estimators", "analysis", "importers", "exporters"])
def test_every_module_below_the_public_face_loads_no_screen_and_no_engine(area: str) -> None:
    names = [dotted(path) for path in modules("backend") if path.parts[1] == area]
    if not names:
        pytest.skip(f"there is no backend.{area} yet")
    assert not loaded_by(*names) & (SCREENS | ENGINES)


def test_the_command_line_starts_light() -> None:
    assert not loaded_by("explorer.commands.main") & (HEAVY | ENGINES)


SCREENS_IN_CIRCLES = "explorer.screens"
"""Screens lead to one another, and to the app that opens them: one node. They import each other inside functions."""

BACK = {
    ("backend.jobs.plan", "backend.jobs.draw"),
    ("backend.jobs.logprob_plan", "backend.jobs.logprobs"),
    ("backend.jobs.judge_plan", "backend.jobs.judging"),
}
"""Imports inside a function that lead back, each for a reason: a plan carries itself out, by what knows plans."""


def imported(tree: ast.Module, names: set[str]) -> Iterator[str]:
    """Modules of the project that this one imports, at once or inside a function; not those for types alone."""
    blocks = (node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
    for_types = {inner for block in blocks for inner in ast.walk(block)}
    for node in ast.walk(tree):
        if node in for_types:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            of_package = {f"{node.module}.{alias.name}" for alias in node.names} & names
            yield from of_package or {node.module} & names
        elif isinstance(node, ast.Import):
            yield from {alias.name for alias in node.names} & names


def test_no_imports_in_a_circle() -> None:
    trees = {dotted(path): tree for folder in ("explorer", "backend") for path, tree in modules(folder).items()}

    def node(name: str) -> str:
        return SCREENS_IN_CIRCLES if name == "explorer.app" or name.startswith("explorer.screens.") else name

    graph: dict[str, set[str]] = {}
    for name, tree in trees.items():
        known = {node(each) for each in imported(tree, set(trees)) if (name, each) not in BACK}
        graph.setdefault(node(name), set()).update(known - {node(name)})
    TopologicalSorter(graph).prepare()  # raises CycleError with the circle


# SQL

STATEMENT = re.compile(
    r"\bSELECT\b.+\bFROM\b|\bINSERT\s+INTO\b|\bDELETE\s+FROM\b|\bUPDATE\s+\S+\s+SET\b|\bALTER\s+TABLE\b"
    r"|\bCREATE\s+(OR\s+REPLACE\s+)?(TEMP\w*\s+)?(TABLE|VIEW|SCHEMA|MACRO|INDEX|SEQUENCE|TYPE)\b"
    r"|\bDROP\s+(TABLE|VIEW|SCHEMA)\b|\bCOPY\s+\S.*\b(TO|FROM)\b|\bATTACH\s+\S|\bFROM\s+read_\w+\("
    r"|\bWITH\s+\w+\s+AS\s*\(|\bWHERE\s+\S+\s*(=|<|>|IN\b|LIKE\b)|\bORDER\s+BY\b|\bGROUP\s+BY\b",
    re.DOTALL,
)
"""In capitals, as the project writes SQL: `Select a run from the list` is a sentence."""
SESSION = re.compile(r"(SET|USE|BEGIN|COMMIT|ROLLBACK)\b")
"""What may be given to DuckDB from code: it reads and writes no table."""


def without_docstrings(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node but strings that stand alone: docstrings of modules, functions, classes and fields."""
    alone = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return (node for node in ast.walk(tree) if not (node in alone and isinstance(node, ast.Constant | ast.JoinedStr)))


def written(node: ast.AST) -> str | None:
    """A string as it stands in the code, with `?` where an f-string fills in; None for other nodes."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "?" for part in node.values)
    return None


def sql_in(tree: ast.Module) -> Iterator[int]:
    for node in without_docstrings(tree):
        text = written(node)
        if text is not None and STATEMENT.search(text):
            yield node.lineno
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("execute", "executemany", "sql", "from_query")
            and node.args
            and (text := written(node.args[0])) is not None
            and not SESSION.match(text)
        ):
            yield node.lineno


def test_no_sql_outside_queries() -> None:
    found = [
        f"{path}:{line}"
        for folder in ("explorer", "backend")
        for path, tree in modules(folder).items()
        for line in sorted(set(sql_in(tree)))
    ]
    assert found == [], "SQL belongs in queries/, one statement a file"


def test_sql_is_recognised() -> None:
    bad = ('x = f"DELETE FROM {t}"', 'c.execute("select 1")', 'x = "SELECT a\\nFROM b"', 'c.sql(f"from {t}")')
    good = (
        '"""SELECT a FROM b"""',
        'c.execute("SET a = 1")',
        'x = "Select a run from the list"',
        "c.execute(q)",
    )
    assert all(list(sql_in(ast.parse(code))) for code in bad)
    assert not any(list(sql_in(ast.parse(code))) for code in good)


# Text from data

PLAIN = "explorer/widgets/plain.py"
TEXT = "explorer/render/text.py"
TABLE = "explorer/widgets/paged_table.py"
ONLY_IN = {
    # Widgets that read a string as markup; `Input` shows it as it is, and the cells of a table are `Text`.
    r"from textual\.widgets import (?!\(?\s*(DataTable|Input|DataTable, Input)\b\)?\n)": [PLAIN],
    r"\b(add_rows?|add_columns?|update_cell\w*)\(": [TABLE],
    r"\b(border_title|border_subtitle|tooltip) = [^\"]": [PLAIN],
    r"\bnotify\(": ["explorer/app.py"],
    # What goes past `visible`: made of text by hand, or painted as it is.
    r"\b(Content|Text)(\.[a-z_]+)?\(": [TEXT, PLAIN],
    r"\bSegment\(": [TABLE, "explorer/widgets/text_view.py"],
    r"from_markup|markup=True": [],
}
"""Pattern -> the only modules of the explorer in which it may occur. Everything else shows text by `Plain`, which
takes strings as they are, and by `literal`, `cell` and what joins them."""


def shown_past_plain(path: str, code: str) -> list[str]:
    return [
        f"{path}:{code.count(chr(10), 0, found.start()) + 1}: {found[0]}"
        for pattern, allowed in ONLY_IN.items()
        if path not in allowed
        for found in re.finditer(pattern, code)
    ]


def test_text_reaches_the_screen_by_plain_only() -> None:
    paths = sorted((ROOT / "explorer").rglob("*.py"))
    modules = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    assert [line for path, code in modules.items() for line in shown_past_plain(path, code)] == []
    assert re.findall(r"self\.notify\((.*)\)", modules["explorer/app.py"]) == [
        "visible(text), markup=False, timeout=seconds"
    ]


@pytest.mark.parametrize(
    "code",
    [
        "from textual.widgets import Static\n",
        "from textual.widgets import DataTable, Label\n",
        "from textual.widgets import (\n    Button,\n    Input,\n)\n",
        "table.add_row(title)",
        "self.border_title = title",
        'self.border_title = f"{title}"',
        "self.notify(title)",
        "Content(title)",
        'Text.assemble(title, " ")',
        "Content.from_markup(title)",
    ],
)
def test_what_goes_past_plain_is_recognised(code: str) -> None:
    assert shown_past_plain("explorer/screens/any.py", code)


# Nothing private

HOSTS = re.compile(
    r"\b("
    + "|".join(
        rf"{name}\.{end}"
        for name, end in (
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("debian", "org"),
            ("npmjs", "(org|com)"),
            ("crates", "io"),
            ("anaconda", "(org|com)"),
            (r"download\.pytorch", "org"),
        )
    )
    + r")\b"
)
PLACES = re.compile(r"(?<![\w.~}/-])/(" + "|".join(("work", "root", "home", "Users", "mnt", "opt")) + r")/\w")
"""Absolute paths of somebody's machine."""


def text_files() -> Iterator[tuple[str, str]]:
    """Files that are, or are about to be, in version control; where there is none, the source files."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    names = listed.stdout.split("\0") if listed.returncode == 0 else []
    if not names:
        folders = ("explorer", "backend", "queries", "tests")
        names = [str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).rglob("*.*")]
    for name in names:
        path = ROOT / name
        if path.is_file() and path.suffix not in (".jsonl", ".csv", ".pyc"):
            try:
                yield name, path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


def test_no_registry_and_no_machine_is_named() -> None:
    found = [
        f"{name}:{number}: {match.group()}"
        for name, text in text_files()
        for number, line in enumerate(text.splitlines(), 1)
        for match in (HOSTS.search(line), PLACES.search(line))
        if match
    ]
    assert found == []


def test_private_names_are_recognised() -> None:
    assert HOSTS.search("https://" + "pypi" + ".org/simple")
    assert PLACES.search("cd /" + "work/main")
    assert not PLACES.search("../shared/work/x, frame" + "work/x")
