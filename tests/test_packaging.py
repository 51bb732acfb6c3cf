"""What is declared agrees with itself; the set-up script says what to do when it cannot go on."""

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from tools import execute_lessons

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture
def run():
    """Give run.py as a module."""
    spec = importlib.util.spec_from_file_location("run", ROOT / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def requirement(text):
    """Split a requirement into its name and the rest, without an extra."""
    name, bound = re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?(.*)", text).groups()
    return name.lower(), bound.strip()


def test_conda_environment_follows_pyproject():
    """environment.yml asks for the packages and bounds of pyproject.toml, and for its extras."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    conda = dict(requirement(d) for d in environment["dependencies"] if isinstance(d, str))
    pip = next(d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    wanted = dict(requirement(d) for d in PROJECT["dependencies"])
    wanted["pytorch"] = wanted.pop("torch") + " cpu_*"  # a space: the build is no part of a bound
    wanted |= {"python": "=3.12", "pip": ""}
    assert conda == wanted
    assert pip == ["--editable .[offline,serve,dev]"]
    assert environment["channels"][0] == "conda-forge"


def test_constraints_pin_every_declared_package():
    """constraints.txt pins each declared package at a version that the declaration allows."""
    from packaging.requirements import Requirement

    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.lower().split("==") for line in lines if "==" in line)
    if not pins:
        pytest.skip("constraints.txt is empty: the newest versions are being tried")
    extras = PROJECT["optional-dependencies"]
    for text in PROJECT["dependencies"] + extras["offline"] + extras["serve"] + extras["dev"]:
        wanted = Requirement(text)
        assert pins[wanted.name.lower()] in wanted.specifier, text
    assert pins["torch"] == "2.13.0"


def third_party(folder):
    """Give the packages that the Python files of a folder import, each with one of its files."""
    ours = {"helpers", "tools", "tests", "benchmarks", "run"}
    ours |= {path.stem for path in (ROOT / "tests").glob("*.py")}
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for name in (name.split(".")[0] for name in names):
                if name not in ours and name not in sys.stdlib_module_names:
                    found.setdefault(name, path.relative_to(ROOT).as_posix())
    return found


@pytest.fixture(scope="module")
def distributions():
    """Give the packages that bring each name that can be imported."""
    return metadata.packages_distributions()


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("helpers", ["serve", "cluster"]),
        *(
            (folder, ["serve", "cluster", "dev"])
            for folder in ("notebooks", "tools", "tests", "benchmarks")
        ),
    ],
)
def test_what_is_imported_is_declared(folder, extras, distributions):
    """No file relies on a package that comes only because another package needs it."""
    without = {"onnxruntime", "openvino"}  # what is compared with them needs them, nothing else
    extra = [text for name in extras for text in PROJECT["optional-dependencies"][name]]
    declared = {requirement(text)[0].replace("-", "_") for text in PROJECT["dependencies"] + extra}
    found = third_party(folder)
    missing = {
        name: path
        for name, path in found.items()
        if not declared & {d.lower().replace("-", "_") for d in distributions.get(name, [name])}
    }
    assert missing.keys() - without == set() and "numpy" in found, missing


def test_packages_hold_all_modules_and_the_corpus():
    """The listed packages are the folders with modules, and the messages are package data."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    found = {
        str(p.parent.relative_to(ROOT)).replace("/", ".") for p in ROOT.glob("helpers/**/*.py")
    }
    found = {name.replace("\\", ".") for name in found}
    assert set(settings["setuptools"]["packages"]) == found
    assert "*.csv" in settings["setuptools"]["package-data"]["helpers.corpus"]


def test_workflows_run_the_same_command():
    """CI and the workflows all call run.py test, on three systems and two Python versions."""
    tests = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))
    job = tests["jobs"]["tests"]
    assert len(job["strategy"]["matrix"]["os"]) == 3
    assert len(job["strategy"]["matrix"]["python"]) == 2
    assert job["steps"][-1]["run"] == "python run.py test"
    assert "run.py test" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_run_checks_style_types_builds_and_tests(run, monkeypatch):
    """`run.py test` runs each check, goes on after one that fails, and names it in the end."""
    ran, marks = [], []

    def one(command, **_):
        ran.append(command[2])
        marks.extend(command[command.index("-m", 3) + 1 :][:1] if "-m" in command[3:] else [])
        return subprocess.CompletedProcess(command, returncode=int(command[2] == "mypy"))

    monkeypatch.setattr(run.subprocess, "run", one)
    with pytest.raises(SystemExit, match=r"failed: types$"):
        run.test()
    assert ran[:4] == ["ruff", "ruff", "mypy", "tools.build_notebooks"]
    assert set(ran[4:]) == {"pytest"} and marks == ["not clock", "clock"]


def test_run_imports_the_standard_library_alone():
    """run.py needs nothing but Python."""
    text = (ROOT / "run.py").read_text(encoding="utf-8")
    names = set(re.findall(r"^\s*(?:import|from) (\w+)", text, re.MULTILINE))
    assert names <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("version", [(3, 10), (3, 14)])
def test_wrong_python_is_named(run, monkeypatch, version):
    """A Python that is too old or too new for the pins stops with the versions that work."""
    monkeypatch.setattr(run.sys, "version_info", (*version, 0))
    with pytest.raises(SystemExit, match=rf"this is Python 3\.{version[1]}.*3\.11 to 3\.13"):
        run.check_machine()


def test_missing_venv_module_is_named(run, monkeypatch):
    """Without ensurepip the message names the package to install."""
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(SystemExit, match=r"apt install python3\.\d+-venv"):
        run.check_machine()


def test_too_little_disk_is_named(run, monkeypatch, tmp_path):
    """A full disk stops the set-up before it starts."""
    monkeypatch.setattr(run, "STAMP", tmp_path / "none")
    monkeypatch.setattr(run.shutil, "disk_usage", lambda _: type("U", (), {"free": 10**9})())
    with pytest.raises(SystemExit, match=r"1\.0 GB are free"):
        run.check_machine()


def test_failed_install_says_what_to_do(run, capsys):
    """A failing command shows what it said, and a known symptom its remedy."""
    script = "print('x: Temporary failure in name resolution'); raise SystemExit(1)"
    with pytest.raises(SystemExit, match="No network"):
        run.run_with_progress([sys.executable, "-c", script], "installing")
    assert "name resolution" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="installing failed"):
        run.run_with_progress([sys.executable, "-c", "raise SystemExit(1)"], "installing")


def test_changed_constraints_refresh_the_environment(run, monkeypatch, tmp_path):
    """The stamp changes with pyproject.toml and with constraints.txt."""
    monkeypatch.setattr(run, "ROOT", tmp_path)
    stamps = set()
    for project, pins in (("a", "b"), ("c", "b"), ("a", "d")):
        (tmp_path / "pyproject.toml").write_text(project)
        (tmp_path / "constraints.txt").write_text(pins)
        stamps.add(run.fingerprint())
    assert len(stamps) == 3


def test_unknown_command_is_refused():
    """run.py with a word that it does not know prints its usage and fails."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), "tset"], capture_output=True, text=True
    )
    assert done.returncode != 0 and "unknown command 'tset'" in done.stderr


def test_no_cpu_index_is_asked_for_beside_an_nvidia_driver(run, monkeypatch):
    """With an NVIDIA driver, or off Linux, pip's own configuration decides about PyTorch."""
    monkeypatch.setattr(run.platform, "system", lambda: "Linux")
    monkeypatch.setattr(run.shutil, "which", lambda _: "/usr/bin/nvidia-smi")
    assert run.torch_options() == []
    monkeypatch.setattr(run.platform, "system", lambda: "Darwin")
    assert run.torch_options() == []


def test_silent_cpu_index_is_said(run, monkeypatch, capsys):
    """Where PyTorch's CPU index does not answer, the size of the download is said first."""
    monkeypatch.setattr(run.platform, "system", lambda: "Linux")
    monkeypatch.setattr(run.shutil, "which", lambda _: None)
    monkeypatch.setattr(run.Path, "exists", lambda _: False)

    def refuse(*_, timeout):
        assert timeout == 3
        raise OSError("no route")

    monkeypatch.setattr(run.urllib.request, "urlopen", refuse)
    assert run.torch_options() == []
    assert "0.5 GB" in capsys.readouterr().out


def test_every_pin_installs_on_every_python_that_is_promised():
    """No pinned package asks for more than the first 3.11, or less than 3.13."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    if not pins:
        pytest.skip("constraints.txt is empty: the newest versions are being tried")
    refused, checked = [], 0
    for name, version in pins.items():
        try:
            found = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            continue  # for another system
        if found["Version"] != version:
            continue  # what is installed says nothing about the pin
        checked += 1
        wanted = SpecifierSet(found["Requires-Python"] or "")
        refused += [f"{name}: {wanted}" for v in ("3.11.0", "3.13.0") if v not in wanted]
    assert checked > 100 and refused == []


def test_the_wheel_holds_the_package_and_nothing_else(tmp_path):
    """Every module, the corpus and the schema; no test, no lesson, no leftover."""
    pytest.importorskip("setuptools", minversion="77")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "helpers", tmp_path / "helpers", ignore=ignored)
    wanted = {
        path.relative_to(tmp_path).as_posix()
        for path in (tmp_path / "helpers").rglob("*")
        if path.is_file()
    }
    build = "from setuptools import build_meta; print(build_meta.build_wheel('made'))"
    subprocess.run([sys.executable, "-c", build], cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = (tmp_path / "made").glob("logits_to_decisions-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in names if ".dist-info/" not in name} == wanted
    assert {"helpers/corpus/README.md", "helpers/portable/rule.py"} <= wanted


def test_a_release_is_tried_before_it_is_published():
    """The release workflow runs on a tag, compares it with the version, tries, then publishes."""
    text = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    release = yaml.safe_load(text)
    assert release[True] == {"push": {"tags": ["v*"]}}  # YAML reads `on` as true
    build, publish = release["jobs"]["build"], release["jobs"]["publish"]
    commands = [step.get("run", "") for step in build["steps"]]
    assert any("GITHUB_REF_NAME" in command for command in commands)
    made = commands.index("python -m build")
    assert any("tools.check_install" in command for command in commands[made:])
    assert publish["needs"] == "build" and publish["permissions"] == {"id-token": "write"}
    assert "password" not in "".join(map(str, publish["steps"]))


def test_the_pages_are_those_of_a_commit_that_passed():
    """The pages workflow tests, executes all lessons, and publishes the folder that this writes."""
    text = (ROOT / ".github/workflows/pages.yml").read_text(encoding="utf-8")
    pages = yaml.safe_load(text)
    build, publish = pages["jobs"]["build"], pages["jobs"]["publish"]
    assert [step["run"] for step in build["steps"] if "run" in step] == [
        "python run.py test",
        "python run.py",
    ]
    upload = build["steps"][-1]
    assert upload["uses"].startswith("actions/upload-pages-artifact@")
    assert ROOT / upload["with"]["path"] == execute_lessons.BUILD
    assert publish["needs"] == "build"
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}
    tests = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))
    used = [step["uses"] for step in tests["jobs"]["tests"]["steps"] if "uses" in step]
    assert [step["uses"] for step in build["steps"][: len(used)]] == used
