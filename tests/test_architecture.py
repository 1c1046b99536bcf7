"""The shape of the project: arrows, what loads what, where SQL and text may stand, sizes, private names.

How text reaches a widget (`test_text_reaches_a_widget_only_through_literal`): a string that is given to a
widget is read as markup, so text from data there crashes the app or is altered. `explorer/render/text.py`
is the one place that turns text into what a widget may show. The check follows an expression to what it is:

    safe     numbers; a constant without `[`, backslash and control characters; an f-string of such and of
             numbers (`{n:,}`, `{len(rows)}`, a field that is an int); what is annotated Content, Text or a
             number: a parameter, a variable, a field, what a function returns; what literal.py's functions
             return, unless that is a string; a constructor
    text     every other string: f-strings, `"".join`, `str()`, what is annotated str
    unknown  the rest, such as a variable without a known type: wrap it in `literal(...)` or annotate it
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal

import pytest

ROOT = Path(__file__).resolve().parent.parent
LITERAL = Path("explorer/render/text.py")
VISIBLE = Path("backend/visible_text.py")
"""Makes control characters visible; still a string, so only where nothing reads markup."""

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

Verdict = Literal["safe", "unknown", "text"]
WIDGETS = {
    "Static",
    "Label",
    "Button",
    "Checkbox",
    "RadioButton",
    "Link",
    "Option",
    "Selection",
    "Tab",
    "TabPane",
}
"""What shows its first argument as markup."""
SHOWN_KEYWORDS = {"content", "renderable", "label", "prompt", "title", "subtitle", "border_title", "tooltip"}
SHOWN_ATTRIBUTES = {"border_title", "border_subtitle", "tooltip", "label"}
CELL_METHODS = {"add_row", "add_rows", "add_column", "add_columns", "update_cell", "update_cell_at"}
METHODS = CELL_METHODS | {"add_option", "add_leaf", "set_label"}
"""Methods of tables, lists and trees that show their arguments as markup."""
NUMBERS = {"int", "float", "bool", "None"}
SAFE_TYPES = NUMBERS | {"Content", "Text", "ConsoleRenderable", "Widget"}
CONTAINERS = {
    "list",
    "tuple",
    "Sequence",
    "Iterable",
    "Iterator",
    "reactive",
    "var",
    "Reactive",
    "ClassVar",
    "Final",
}
NUMERIC_FORMAT = re.compile(r".*([bcdeEfFgGn%,]|\.\d+[fge%])$")
HARMLESS = re.compile(r"[^\[\\\x00-\x08\x0b-\x1f\x7f-\x9f]*")


def names_of(annotation: ast.expr | None) -> set[str]:
    """Names of the types in an annotation, containers left out: {"str", "None"} for `list[str | None]`."""
    if annotation is None:
        return {"?"}
    text = annotation.value if isinstance(annotation, ast.Constant) else ast.unparse(annotation)
    found = {name.rpartition(".")[2] for name in re.findall(r"[\w.]*[A-Za-z_]\w*", str(text))}
    return found - CONTAINERS or {"?"}


def worst(verdicts: Iterator[Verdict] | list[Verdict]) -> Verdict:
    found = set(verdicts)
    return "text" if "text" in found else "unknown" if "unknown" in found else "safe"


class Known:
    """What the project's annotations say of its functions and fields, by bare name."""

    def __init__(self, trees: dict[Path, ast.Module]) -> None:
        self.returns: dict[str, set[str]] = {}
        self.fields: dict[str, set[str]] = {}
        self.literal: set[str] = set()
        self.widgets = set(WIDGETS)
        classes: list[ast.ClassDef] = []
        for path, tree in trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    self.returns.setdefault(node.name, set()).update(names_of(node.returns))
                    if path in (LITERAL, VISIBLE):
                        self.literal.add(node.name)
                elif isinstance(node, ast.ClassDef):
                    classes.append(node)
        for node in classes * 3:  # subclasses of subclasses, whatever order they come in
            if any(ast.unparse(base).rpartition(".")[2] in self.widgets for base in node.bases):
                self.widgets.add(node.name)
        self.super_calls = {
            call
            for node in classes
            if node.name in self.widgets
            for call in ast.walk(node)
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "super().__init__"
        }
        for node in classes:
            own = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
            if "__init__" in own:
                self.widgets.discard(node.name)
            for item in node.body:
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                    self.fields.setdefault(item.target.id, set()).update(names_of(item.annotation))


class Judge:
    """Judges the expressions of one function, or of a module outside functions."""

    def __init__(self, known: Known, scopes: list[ast.AST]) -> None:
        self.known, self.scopes, self.seen = known, scopes, set[str]()
        self.safe_types = SAFE_TYPES

    def of_types(self, names: set[str]) -> Verdict:
        if "str" in names:
            return "text"
        return "safe" if names <= self.safe_types else "unknown"

    def __call__(self, node: ast.expr, *, exact: bool = False) -> Verdict:
        """`exact`: where the text goes is no markup, so data need only be made visible."""
        match node:
            case ast.Constant(value=str(text)):
                return "safe" if exact or HARMLESS.fullmatch(text) else "text"
            case ast.Constant():
                return "safe"
            case ast.JoinedStr(values=parts):
                return "text" if worst([self.part(part, exact) for part in parts]) != "safe" else "safe"
            case ast.IfExp(body=first, orelse=second) | ast.BinOp(left=first, right=second):
                return worst([self(first, exact=exact), self(second, exact=exact)])
            case ast.BoolOp(values=values) | ast.List(elts=values) | ast.Tuple(elts=values):
                return worst([self(value, exact=exact) for value in values])
            case ast.Starred(value=value) | ast.Subscript(value=value) | ast.NamedExpr(value=value):
                return self(value, exact=exact)
            case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element):
                return self(element, exact=exact)
            case ast.Call():
                return self.call(node, exact)
            case ast.Attribute(attr=field):
                return self.of_types(self.known.fields.get(field, {"?"}))
            case ast.Name(id=name):
                return self.name(name, exact)
        return "unknown"

    def part(self, part: ast.expr, exact: bool) -> Verdict:
        """A piece of an f-string: Content becomes a string again; only numbers and constants are safe."""
        if not isinstance(part, ast.FormattedValue):
            return self(part, exact=exact)
        if part.format_spec and NUMERIC_FORMAT.fullmatch(written(part.format_spec) or ""):
            return "safe"
        before, self.safe_types = self.safe_types, NUMBERS
        try:
            return self(part.value, exact=exact)
        finally:
            self.safe_types = before

    def call(self, node: ast.Call, exact: bool) -> Verdict:
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in ("len", "int", "float", "round", "sum"):
            return "safe"
        if name in self.known.literal:
            return "safe" if exact else self.of_types(self.known.returns[name])
        if isinstance(node.func, ast.Attribute) and self(node.func.value, exact=exact) == "text":
            return "text"
        if isinstance(node.func, ast.Attribute) and written(node.func.value) is not None:
            return "text"
        if name in ("str", "repr", "ascii", "format", "chr"):
            return "text"
        if name in self.known.returns:
            return self.of_types(self.known.returns[name])
        if self.safe_types is NUMBERS:
            return "unknown"
        return "safe" if name[:1].isupper() or self.is_method_of_content(node) else "unknown"

    def is_method_of_content(self, node: ast.Call) -> bool:
        """`Content.assemble(...)`, `Text.assemble(...)`, and methods of what is safe, as `.stylize(...)`."""
        if not isinstance(node.func, ast.Attribute):
            return False
        owner = node.func.value
        return ast.unparse(owner) in ("Content", "Text") or self(owner) == "safe"

    def name(self, name: str, exact: bool) -> Verdict:
        if name in self.seen:
            return "safe"  # x = x + ...: judged by its other assignments
        self.seen.add(name)
        try:
            for scope in reversed(self.scopes):
                found = list(self.bindings(scope, name, exact))
                if found:
                    return worst(found)
            return "unknown"
        finally:
            self.seen.discard(name)

    def bindings(self, scope: ast.AST, name: str, exact: bool) -> Iterator[Verdict]:
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            arguments = scope.args
            for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
                if argument.arg == name:
                    yield self.of_types(names_of(argument.annotation))
        for node in inside(scope):
            match node:
                case ast.AnnAssign(target=ast.Name(id=found), annotation=annotation) if found == name:
                    yield self.of_types(names_of(annotation))
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        yield from self.bound(target, value, name, exact)
                case ast.AugAssign(target=ast.Name(id=found), value=value) if found == name:
                    yield self(value, exact=exact)
                case ast.NamedExpr(target=ast.Name(id=found), value=value) if found == name:
                    yield self(value, exact=exact)
                case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                    yield from self.bound(target, value, name, exact)
                case ast.withitem(optional_vars=ast.Name(id=found)) if found == name:
                    yield "unknown"

    def bound(self, target: ast.expr, value: ast.expr, name: str, exact: bool) -> Iterator[Verdict]:
        if isinstance(target, ast.Name):
            if target.id == name:
                yield self(value, exact=exact)
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            for one, its in zip(target.elts, value.elts, strict=True):
                yield from self.bound(one, its, name, exact)
        elif any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(target)):
            yield self(value, exact=exact)


def inside(scope: ast.AST) -> Iterator[ast.AST]:
    """Nodes of a function (or module), without those of the functions and classes in it."""
    todo = list(ast.iter_child_nodes(scope))
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            todo.extend(ast.iter_child_nodes(node))


def scoped(tree: ast.AST, scopes: list[ast.AST]) -> Iterator[tuple[ast.AST, list[ast.AST]]]:
    """Every node with the functions (and the module) that it stands in, the innermost last."""
    for node in ast.iter_child_nodes(tree):
        yield node, scopes
        inner = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from scoped(node, [*scopes, node] if inner else scopes)


def shown(node: ast.AST, known: Known) -> Iterator[ast.expr]:
    """The expressions that this node gives to a widget, where they would be read as markup."""
    match node:
        case ast.Call(func=func, args=arguments, keywords=keywords):
            name = func.id if isinstance(func, ast.Name) else getattr(func, "attr", "")
            if name in known.widgets or node in known.super_calls:
                yield from arguments[:1]
            elif isinstance(func, ast.Attribute) and name in METHODS:
                yield from arguments if name in CELL_METHODS else arguments[:1]
            if not name.endswith("Error") and name != "notify":
                yield from (keyword.value for keyword in keywords if keyword.arg in SHOWN_KEYWORDS)
        case ast.Assign(targets=targets, value=value):
            if any(isinstance(target, ast.Attribute) and target.attr in SHOWN_ATTRIBUTES for target in targets):
                yield value


def shown_as_markup(tree: ast.Module, known: Known) -> Iterator[tuple[int, str]]:
    for node, scopes in scoped(tree, [tree]):
        judge = Judge(known, scopes)
        for value in shown(node, known):
            if (verdict := judge(value)) != "safe":
                yield value.lineno, f"{verdict}: {ast.unparse(value)}"
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr == "update" and node.args and judge(node.args[0]) == "text":
            yield node.lineno, f"text: {ast.unparse(node.args[0])}"
        if node.func.attr == "notify":
            exact = any(entry.arg == "markup" and ast.unparse(entry.value) == "False" for entry in node.keywords)
            titles = [entry.value for entry in node.keywords if entry.arg == "title"]
            if any(judge(value, exact=exact) != "safe" for value in (*node.args[:1], *titles)):
                yield node.lineno, "notify: markup=False, and data through literal.py"
        if node.func.attr == "from_markup":
            yield node.lineno, "from_markup"


def made_of_text(tree: ast.Module, known: Known) -> Iterator[tuple[int, str]]:
    """Content and Text made of data without literal.py: exact, but with its control characters."""
    for node, scopes in scoped(tree, [tree]):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        maker = ast.unparse(node.func)
        values = node.args[:1]
        if maker in ("Content.assemble", "Text.assemble"):
            values = [part.elts[0] if isinstance(part, ast.Tuple) and part.elts else part for part in node.args]
        elif maker not in ("Content", "Text", "Content.styled", "Text.styled", "Content.from_text"):
            continue
        judge = Judge(known, scopes)
        for value in values:
            if judge(value, exact=isinstance(value, ast.Constant)) == "text":
                yield value.lineno, ast.unparse(value)


def everything_known() -> Known:
    return Known({**modules("explorer"), **modules("backend")})


CHECKED_BY_MYPY = Path("explorer/widgets/paged_table.py")
"""A `DataTable[Text]`: mypy itself sees that its cells are `Text` and no strings."""


def test_text_reaches_a_widget_only_through_literal() -> None:
    known = everything_known()
    found = [
        f"{path}:{line}: {what}"
        for path, tree in modules("explorer").items()
        if path not in (LITERAL, CHECKED_BY_MYPY)
        for line, what in shown_as_markup(tree, known)
    ]
    assert found == [], "wrap it in literal(...) of explorer/render/text.py"


def test_content_is_made_of_data_only_by_literal() -> None:
    known = everything_known()
    found = [
        f"{path}:{line}: {what}"
        for path, tree in modules("explorer").items()
        if path != LITERAL
        for line, what in made_of_text(tree, known)
    ]
    assert found == [], "wrap it in literal(...) of explorer/render/text.py"


FRAME = """
def literal(text: str) -> Content: ...
def visible(text: str) -> str: ...
def words(run: Run) -> str: ...
def heading(run: Run) -> Content: ...
class Record:
    statement: str | None
    samples: int
class Line(Static): ...
class Heading(Line):
    def __init__(self, record: Record, title: str, body: Content, cells: list[Content]) -> None:
        local = heading(run)
        other = f"{title}"
        for cell in cells:
            {}
"""


@pytest.mark.parametrize(
    "code",
    [
        'Static(f"{title}")',
        "Static(title)",
        "Label(record.statement)",
        "Label(words(run))",
        "Line(other)",
        'Static("see [1]")',
        'Static("a" + title)',
        'Static(", ".join(found))',
        "Static(found)",
        "Static(body if cells else title)",
        'self.border_title = f"{title} "',
        "Collapsible(title=title)",
        "table.add_row(body, str(record.samples + 1), title)",
        "table.add_row(*(f'{cell}' for cell in cells))",
        "self.header.update(f'{title}')",
        'self.notify(f"{title}")',
        'self.notify(f"{title}", markup=False)',
        "Content.from_markup(title)",
        "Static(visible(title))",
        'Static(f"{body}")',
        'super().__init__(f"{title}")',
    ],
)
def test_text_in_a_widget_is_recognised(code: str) -> None:
    tree = ast.parse(FRAME.replace("{}", code))
    assert list(shown_as_markup(tree, Known({LITERAL: ast.parse("\n".join(FRAME.split("\n")[:3])), Path("x"): tree})))


@pytest.mark.parametrize(
    "code",
    [
        'Static("Runs")',
        "Static()",
        "Static(literal(title))",
        'Static(f"{record.samples} of {len(cells)}")',
        "super().__init__(literal(title))",
        "Static(body)",
        "Label(local)",
        "Label(cell)",
        "Line(heading(run))",
        'Static(f"{record.samples:,} samples")',
        "Static(body if cells else literal(title))",
        'Static(Content.assemble(literal(title), " of ", body))',
        "self.border_title = literal(title)",
        "table.add_row(body, literal(title), record.samples, *cells)",
        "table.add_row(*(literal(cell) for cell in record.samples))",
        "self.header.update(body)",
        "digest.update(block)",
        'self.notify("Copied")',
        'self.notify(f"[{visible(title)}]", markup=False)',
        'raise UsageError(title=f"{title}")',
    ],
)
def test_what_a_widget_may_show_is_left_alone(code: str) -> None:
    tree = ast.parse(FRAME.replace("{}", code))
    known = Known({LITERAL: ast.parse("\n".join(FRAME.split("\n")[:3])), Path("x"): tree})
    assert list(shown_as_markup(tree, known)) == []
    assert list(made_of_text(tree, known)) == []


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
