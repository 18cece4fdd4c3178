"""The package as a user gets it: sdist, wheel from the sdist, a fresh environment. The checkout's links play no part."""

import json
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINKED = ("streams", "detectors", "features", "avro_schemas")
DATA = (".avsc", ".json", ".lock", ".toml", ".typed", ".html", ".css", ".js", ".svg")
VENDORED = ("LICENSE", "VERSION")  # beside the one library that the page brings along

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dist(tmp_path_factory) -> Path:
    """Build the sdist, and the wheel from it, with the locked build tools."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--no-isolation", "-o", out, ROOT], check=True, capture_output=True)
    return out


@pytest.fixture(scope="module")
def wheel(dist) -> Path:
    """The wheel that was built from the sdist."""
    return next(dist.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A fresh environment that holds the wheel; its dependencies are borrowed, the checkout is not."""
    home = tmp_path_factory.mktemp("fresh")
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(pip, check=True)
    site = next(home.glob("lib/python*/site-packages"))
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return home


def run(home: Path, *command: str) -> str:
    """Run a program of the fresh environment, outside the checkout."""
    done = subprocess.run(
        [home / "bin" / command[0], *command[1:]], cwd=home, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def expected_files() -> set[str]:
    """Every module and data file of the checkout, by its place in the wheel."""
    found = {path for path in (ROOT / "foreshock").rglob("*") if not any(p.is_symlink() for p in path.parents)}
    names = {str(path.relative_to(ROOT)) for path in found if path.suffix in {".py", *DATA}}
    for folder in LINKED:
        paths = (ROOT / folder).rglob("*")
        wanted = (path for path in paths if path.suffix in {".py", *DATA} or path.name in VENDORED)
        names |= {f"foreshock/{path.relative_to(ROOT)}" for path in wanted}
    return names


def test_wheel_holds_every_module_and_data_file_once(wheel):
    """The linked folders arrive as `foreshock.*`; schemas, kafka.lock and py.typed come along; nothing else does."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]

    assert sorted(names) == sorted(expected_files())
    assert {"foreshock/local/kafka.lock", "foreshock/local/zipkin.lock"} <= set(names)
    assert any(name.startswith("foreshock/avro_schemas/") and name.endswith(".avsc") for name in names)


def test_licence_is_in_wheel_and_sdist(dist, wheel):
    """Both artefacts carry the licence text."""
    with zipfile.ZipFile(wheel) as archive:
        assert any(name.endswith("licenses/LICENSE") for name in archive.namelist())
    with tarfile.open(next(dist.glob("*.tar.gz"))) as archive:
        assert any(name.endswith("/LICENSE") for name in archive.getnames())


def test_command_of_the_wheel_lists_its_commands(installed):
    """`foreshock --help` works in the fresh environment and names every command."""
    from foreshock.cli import COMMANDS

    text = run(installed, "foreshock", "--help")

    assert [name for name in COMMANDS if name not in text] == []


def test_every_module_of_the_wheel_imports(installed):
    """Each module imports from the wheel's own files, `foreshock.streams.wire` among them."""
    program = """
import importlib, json, pkgutil, foreshock
names = [module.name for module in pkgutil.walk_packages(foreshock.__path__, "foreshock.")]
print(json.dumps({name: importlib.import_module(name).__file__ for name in names}))
"""

    files = json.loads(run(installed, "python", "-c", program).splitlines()[-1])

    assert "foreshock.streams.wire" in files
    assert [name for name, file in files.items() if not file.startswith(str(installed))] == []


def test_page_of_the_console_is_served_from_the_wheel(installed):
    """Its files lie where the console looks for them."""
    program = "from foreshock.streams.console.pages import FOLDER; print(*sorted(p.name for p in FOLDER.iterdir()))"

    assert "index.html" in run(installed, "python", "-c", program)
