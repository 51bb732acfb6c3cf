"""A copied folder works at its new place, and a bundle sets up without a network."""

import hashlib
import io
import json
import subprocess
import sys

import pytest

import run
from helpers import doctor
from tools import bundle


def wheel(folder, name="a-1-py3-none-any.whl", content=b"0123456789"):
    """Write a file that stands for a wheel, and give it with its address."""
    (folder / name).write_bytes(content)
    address = (folder / name).as_uri()
    return bundle.Wheel(name, address, hashlib.sha256(content).hexdigest())


@pytest.fixture
def moved(tmp_path, monkeypatch):
    """Give run.py a small folder that was set up at another place."""
    old, new = tmp_path / "old place", tmp_path / "old place" / "new"
    scripts = new / ".venv" / "bin"
    scripts.mkdir(parents=True)
    site = new / ".venv" / "lib" / "python3.11" / "site-packages"
    (site / "x-1.dist-info").mkdir(parents=True)
    (scripts / "tool").write_text(f"#!{old}/.venv/bin/python\nprint('{old}er')\n")
    (scripts / "program").write_bytes(b"\xff\x00" + str(old).encode())
    (new / ".venv" / "pyvenv.cfg").write_text(f"command = python -m venv {old}/.venv\n")
    (site / "__editable___x_finder.py").write_text(f"MAPPING = {{'x': {str(old / 'x')!r}}}\n")
    (site / "x-1.dist-info" / "direct_url.json").write_text(json.dumps({"url": old.as_uri()}))
    monkeypatch.setattr(run, "ROOT", new)
    monkeypatch.setattr(run, "VENV", new / ".venv")
    monkeypatch.setattr(run, "BIN", scripts)
    monkeypatch.setattr(run, "STAMP", new / ".venv" / "installed.sha256")
    monkeypatch.setattr(run, "CHECKSUMS", new / "wheels" / "checksums.json")
    monkeypatch.setattr(run, "WHEELS", new / "wheels")
    monkeypatch.setattr(run, "check_machine", lambda: None)
    monkeypatch.setattr(run, "fingerprint", lambda: "same")
    monkeypatch.setattr(run, "usable_venv", lambda: True)
    monkeypatch.setattr(run, "torch_options", list)
    return old, new


def test_a_moved_folder_is_mended(moved):
    """Scripts, settings and the package's place name the new folder; names like it stay."""
    old, new = moved  # the new place begins as the old one: each must be written once
    run.mend(old)
    site = new / ".venv/lib/python3.11/site-packages"
    tool = (new / ".venv/bin/tool").read_text()
    assert tool == f"#!{new}/.venv/bin/python\nprint('{old}er')\n"
    assert str(new / "x") in (site / "__editable___x_finder.py").read_text()
    assert json.loads((site / "x-1.dist-info/direct_url.json").read_text())["url"] == new.as_uri()
    assert f"{new}/.venv\n" in (new / ".venv/pyvenv.cfg").read_text()
    assert (new / ".venv/bin/program").read_bytes() == b"\xff\x00" + str(old).encode()


@pytest.mark.parametrize("found", [True, False])
def test_the_stamp_knows_the_place(moved, monkeypatch, found):
    """A folder set up elsewhere is mended; if that does not help, it is set up again."""
    old, new = moved
    commands = []
    monkeypatch.setattr(run, "finds_package", lambda: found)
    monkeypatch.setattr(run, "run_with_progress", lambda command, _: commands.append(command))
    run.STAMP.write_text(f"same\n{old}")
    run.set_up()
    assert run.STAMP.read_text().splitlines() == ["same", str(new)]
    assert bool(commands) is not found
    commands.clear()
    run.set_up()
    assert commands == []


def test_a_bundle_is_set_up_from_its_wheels_alone(moved, monkeypatch):
    """With checksums beside it, run.py asks no package index."""
    _, new = moved
    (new / "wheels").mkdir()
    one = wheel(new / "wheels")
    about = {
        "platform": run.platform_name(),
        "python": bundle.HERE,
        "sha256": {one.name: one.sha256},
    }
    run.CHECKSUMS.write_text(json.dumps(about))
    commands = []
    monkeypatch.setattr(run, "run_with_progress", lambda command, _: commands.append(command))
    run.set_up()
    assert commands[0][-3:] == ["--no-index", "--find-links", str(new / "wheels")]
    for change, words in (
        ({"python": "3.99"}, r"for Python 3\.99"),
        ({"platform": "amiga-68k"}, "for amiga-68k"),
        ({"sha256": {one.name: "0"}}, "missing or damaged: copy the bundle again"),
    ):
        run.CHECKSUMS.write_text(json.dumps(about | change))
        with pytest.raises(SystemExit, match=words):
            run.check_wheels()


def test_a_bundle_is_written_and_gone_on_with(tmp_path, monkeypatch):
    """Wheels that are here are not fetched again, old ones go, and the clone comes without .git."""
    source, target = tmp_path / "index", tmp_path / "bundle"
    source.mkdir()
    wheels = [wheel(source), wheel(source, "b-2-py3-none-any.whl", b"b")]
    bundle.write(wheels, target, "linux-x86_64", "3.11")
    about = json.loads((target / "wheels" / "checksums.json").read_text())
    assert about["sha256"] == {w.name: w.sha256 for w in wheels} and about["python"] == "3.11"
    assert (target / "run.py").is_file() and (target / "helpers/corpus/waste.csv").is_file()
    assert not any((target / name).exists() for name in (".git", ".venv", ".cache", "build"))
    fetched = []
    monkeypatch.setattr(bundle, "download", lambda w, _: fetched.append(w.name))
    monkeypatch.setattr(bundle, "copy_clone", lambda _: None)
    bundle.write(wheels[1:], target, "linux-x86_64", "3.11")
    assert fetched == [] and not (target / "wheels" / wheels[0].name).exists()


def test_an_interrupted_download_goes_on(tmp_path, monkeypatch):
    """The bytes that have come are kept, and only the rest is asked for."""
    one = wheel(tmp_path)
    folder = tmp_path / "to"
    folder.mkdir()
    (folder / f"{one.name}.part").write_bytes(b"0123")
    asked = []

    def answer(request, timeout):
        asked.append(request.get_header("Range"))
        if len(asked) == 1:
            raise TimeoutError
        rest = io.BytesIO(b"456789")
        rest.status = 206
        return rest

    monkeypatch.setattr(bundle.urllib.request, "urlopen", answer)
    bundle.download(one, folder)
    assert asked == ["bytes=4-"] * 2 and bundle.is_here(one, folder)


def test_a_damaged_download_is_refused(tmp_path):
    """What differs from the announced checksum is thrown away."""
    one = wheel(tmp_path)
    other = bundle.Wheel("other.whl", one.url, "0" * 64)
    with pytest.raises(ValueError, match=r"other\.whl did not come as announced"):
        bundle.download(other, tmp_path)
    assert not (tmp_path / "other.whl").exists() and not (tmp_path / "other.whl.part").exists()


def test_an_unknown_machine_must_name_a_platform(monkeypatch):
    """On a machine that no bundle is known for, one of the known platforms has to be named."""
    monkeypatch.setattr(bundle, "platform_name", lambda: "plan9-mips")
    monkeypatch.setattr(sys, "argv", ["bundle"])
    with pytest.raises(SystemExit, match="name a --platform, one of linux-aarch64, linux-x86_64"):
        bundle.main()


def test_the_size_is_said_before_anything_is_fetched(tmp_path, monkeypatch, capsys):
    """With --dry-run the number of packages and the megabytes are said, and nothing is written."""
    one = wheel(tmp_path, content=b"x" * 3_000_000)
    monkeypatch.setattr(bundle, "resolve", lambda *_: {"a": one})
    target = tmp_path / "target"
    known = next(iter(bundle.PLATFORMS))
    arguments = ["bundle", "--dry-run", "--platform", known, "--output", str(target)]
    monkeypatch.setattr(sys, "argv", arguments)
    bundle.main()
    said = capsys.readouterr().out
    assert "1 packages; 3 MB to download for 1 that are not here yet" in said
    assert not target.exists()


def test_conditions_are_asked_about_the_other_machine():
    """What only Windows needs is in a bundle for Windows, whatever machine writes it."""
    wheels = {
        "click": bundle.Wheel("click", "", "", ('colorama; platform_system == "Windows"',)),
        "colorama": bundle.Wheel("colorama", "", ""),
    }

    def names(platform):
        environment = bundle.default_environment() | bundle.PLATFORMS[platform][1]
        return set(
            bundle.closure(["click"], environment, lambda w: {name: wheels[name] for name in w})
        )

    assert names("windows-x86_64") == {"click", "colorama"}
    assert names("linux-x86_64") == names("macos-arm64") == {"click"}


def test_doctor_asks_which_helpers_a_notebook_takes(monkeypatch):
    """A folder whose package is not found, or another's, is told from one that is in order."""

    def says(code, out=""):
        return lambda *_, **__: subprocess.CompletedProcess([], code, stdout=out)

    assert doctor._folder()[0] == "ok"
    monkeypatch.setattr(doctor.subprocess, "run", says(1))
    assert doctor._folder()[0] == "problem" and "moved or copied" in doctor._folder()[1]
    monkeypatch.setattr(doctor.subprocess, "run", says(0, "/elsewhere/helpers/__init__.py\n"))
    assert doctor._folder()[0] == "warning"
    assert doctor._kept()[1].split()[0].isdigit()


def test_the_package_is_found_from_elsewhere(monkeypatch):
    """The probe of run.py ignores the folder it is started in, and PYTHONPATH."""
    monkeypatch.setattr(run, "PYTHON", sys.executable)
    seen = {}

    def note(command, **options):
        seen.update(options, command=command)
        return subprocess.CompletedProcess(command, 0, stdout=f"{run.ROOT}/helpers/__init__.py\n")

    monkeypatch.setattr(run.subprocess, "run", note)
    assert run.finds_package()
    assert "-P" in seen["command"] and "PYTHONPATH" not in seen["env"]
