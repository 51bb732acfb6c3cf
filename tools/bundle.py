"""Write a folder that sets up and runs everything without a network: for a room without Wi-Fi.

python3 run.py bundle                            for machines like this one
python3 run.py bundle --platform windows-x86_64  for others
python3 run.py bundle --dry-run                  say what it would download, and stop
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from run import CHECKSUMS, NEWEST, OLDEST, ROOT, WHEELS, cpu_index, platform_name, say, sha256

MEGABYTE = 10**6
MANYLINUX = range(28, 4, -1)  # wheels for glibc 2.28 and older run on every Linux that is in use
# What pip calls a platform, and what a package's conditions are asked about there.
PLATFORMS: dict[str, tuple[list[str], dict[str, str]]] = {
    **{
        f"linux-{machine}": (
            [f"manylinux_2_{n}_{machine}" for n in MANYLINUX] + [f"manylinux2014_{machine}"],
            {
                "sys_platform": "linux",
                "platform_system": "Linux",
                "os_name": "posix",
                "platform_machine": machine,
            },
        )
        for machine in ("x86_64", "aarch64")
    },
    "macos-arm64": (
        ["macosx_14_0_arm64"],
        {
            "sys_platform": "darwin",
            "platform_system": "Darwin",
            "os_name": "posix",
            "platform_machine": "arm64",
        },
    ),
    "windows-x86_64": (
        ["win_amd64"],
        {
            "sys_platform": "win32",
            "platform_system": "Windows",
            "os_name": "nt",
            "platform_machine": "AMD64",
        },
    ),
}
HERE = "{}.{}".format(*sys.version_info[:2])
PYTHONS = [f"3.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1)]


@dataclass(frozen=True)
class Wheel:
    """One package.

    Attributes
    ----------
    name : str
        Its file.
    url, sha256 : str
    requires : tuple of str
        What it needs, with conditions.
    """

    name: str
    url: str
    sha256: str
    requires: tuple[str, ...] = ()


def closure(
    first: Iterable[str],
    environment: dict[str, str],
    look_up: Callable[[dict[str, SpecifierSet]], dict[str, Wheel]],
) -> dict[str, Wheel]:
    """Find all packages that some need, for a machine that need not be this one.

    pip asks the conditions of a package about the machine that it runs on, so they are asked here.

    Parameters
    ----------
    first : iterable of str
        Requirements, as ``uvicorn[standard]>=0.34``.
    environment : dict
        What conditions are asked about, as ``{"sys_platform": "win32", ...}``.
    look_up : callable
        Takes the bounds of some packages by name, and gives their wheels by name.

    Returns
    -------
    dict
        A wheel for each name.

    Examples
    --------
    >>> wheels = {"a": Wheel("a.whl", "", "", ('b; os_name == "nt"', 'c; extra == "more"')),
    ...           "b": Wheel("b.whl", "", ""), "c": Wheel("c.whl", "", "")}
    >>> look_up = lambda wanted: {name: wheels[name] for name in wanted}
    >>> sorted(closure(["a"], {"os_name": "nt"}, look_up))
    ['a', 'b']
    >>> sorted(closure(["a[more]"], {"os_name": "posix"}, look_up))
    ['a', 'c']
    """
    found: dict[str, Wheel] = {}
    seen: set[tuple[str, str]] = set()
    layer = [Requirement(text) for text in first]
    while layer:
        wanted: dict[str, SpecifierSet] = {}
        for needed in layer:
            name = canonicalize_name(needed.name)
            if name not in found:
                wanted[name] = wanted.get(name, SpecifierSet()) & needed.specifier
        found |= look_up(wanted) if wanted else {}
        new = {(canonicalize_name(r.name), extra) for r in layer for extra in ("", *r.extras)}
        layer = [
            needed
            for name, extra in sorted(new - seen)
            for needed in map(Requirement, found[name].requires)
            if needed.marker is None or needed.marker.evaluate(environment | {"extra": extra})
        ]
        seen |= new
    return found


def declared() -> list[str]:
    """Give what pyproject.toml asks for, with all extras, and what builds the package."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = settings["project"]["optional-dependencies"].values()
    return [
        *settings["project"]["dependencies"],
        *(text for extra in extras for text in extra),
        *settings["build-system"]["requires"],
    ]


def resolve(platform: str, python: str) -> dict[str, Wheel]:
    """Ask pip which wheel each package has for a platform and a Python; nothing is installed."""
    tags, conditions = PLATFORMS[platform]
    options = cpu_index() if platform.startswith("linux") else []
    if (platform, python) != (platform_name(), HERE):
        for tag in tags:
            options += ["--platform", tag]
        options += ["--python-version", python, "--target", "unused"]

    def look_up(wanted: dict[str, SpecifierSet]) -> dict[str, Wheel]:
        say(f"asking the package index about {len(wanted)} packages")
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.json"
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"]
            command += ["--ignore-installed", "--no-deps", "--only-binary=:all:"]
            command += [
                "--disable-pip-version-check",
                "--constraint",
                str(ROOT / "constraints.txt"),
            ]
            command += ["--report", str(report), *options]
            command += [f"{name}{bounds}" for name, bounds in wanted.items()]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"bundle: pip found no wheel for {platform}:\n{done.stderr[-1500:]}")
            items = json.loads(report.read_text(encoding="utf-8"))["install"]
        return {canonicalize_name(item["metadata"]["name"]): _wheel(item) for item in items}

    environment = {**default_environment(), **conditions, "python_version": python}
    return closure(declared(), environment | {"python_full_version": f"{python}.0"}, look_up)


def _wheel(item: dict) -> Wheel:
    url = item["download_info"]["url"]
    return Wheel(
        name=urllib.parse.unquote(urllib.parse.urlsplit(url).path.rsplit("/", 1)[1]),
        url=url,
        sha256=item["download_info"]["archive_info"]["hashes"]["sha256"],
        requires=tuple(item["metadata"].get("requires_dist", ())),
    )


def size(wheel: Wheel) -> int:
    """Ask how many bytes a wheel has."""
    request = urllib.request.Request(wheel.url, method="HEAD")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return int(answer.headers["Content-Length"])


def is_here(wheel: Wheel, folder: Path) -> bool:
    """Tell whether a wheel is in a folder, whole."""
    path = folder / wheel.name
    return path.is_file() and sha256(path) == wheel.sha256


def download(wheel: Wheel, folder: Path, *, tries: int = 3) -> None:
    """Fetch a wheel; what an interrupted download has left is gone on with.

    Parameters
    ----------
    wheel : Wheel
    folder : Path
    tries : int, default 3

    Raises
    ------
    ValueError
        If what came is not what the index has announced.
    OSError
        If the network fails at each try.
    """
    part = folder / f"{wheel.name}.part"
    for left in reversed(range(tries)):
        have = part.stat().st_size if part.exists() else 0
        request = urllib.request.Request(wheel.url, headers={"Range": f"bytes={have}-"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                goes_on = have and getattr(answer, "status", None) == 206
                with open(part, "ab" if goes_on else "wb") as file:
                    shutil.copyfileobj(answer, file, MEGABYTE)
            break
        except urllib.error.HTTPError as error:
            if error.code == 416:  # there is no more: all of it is here
                break
            if not left:
                raise
        except OSError:
            if not left:
                raise
    if sha256(part) != wheel.sha256:
        part.unlink()
        raise ValueError(f"{wheel.name} did not come as announced: run this again")
    part.replace(folder / wheel.name)


def copy_clone(target: Path) -> None:
    """Copy the folder without what is made in it: .gitignore names that."""
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    made = [line.rstrip("/") for line in lines] + [".git"]

    def ignored(_folder: str, names: list[str]) -> list[str]:
        return [name for name in names if any(fnmatch.fnmatch(name, line) for line in made)]

    shutil.copytree(ROOT, target, ignore=ignored, dirs_exist_ok=True)


def write(wheels: Iterable[Wheel], target: Path, platform: str, python: str) -> None:
    """Download what is missing, copy the clone, and write the checksums last."""
    folder = target / WHEELS.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CHECKSUMS.name).unlink(missing_ok=True)
    wheels = sorted(wheels, key=lambda wheel: wheel.name.lower())
    for i, wheel in enumerate(wheels, start=1):
        if not is_here(wheel, folder):
            say(f"{i:3} of {len(wheels)}  {wheel.name}")
            download(wheel, folder)
    names = {wheel.name for wheel in wheels}
    for path in folder.iterdir():  # of an earlier version
        if path.name not in names:
            path.unlink()
    copy_clone(target)
    found = {wheel.name: wheel.sha256 for wheel in wheels}
    bundle = {"platform": platform, "python": python, "sha256": found}
    (folder / CHECKSUMS.name).write_text(json.dumps(bundle, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Say the size, then write the bundle."""
    parser = argparse.ArgumentParser(prog="run.py bundle", description=__doc__.splitlines()[0])
    parser.add_argument("--platform", choices=sorted(PLATFORMS), default=platform_name())
    parser.add_argument("--python", choices=PYTHONS, default=HERE, help=f"default {HERE}")
    parser.add_argument("--output", type=Path, help="the folder; by default one in build")
    parser.add_argument("--dry-run", action="store_true", help="say the size, and stop")
    asked = parser.parse_args()
    if asked.platform not in PLATFORMS:  # this machine's own, where none was named
        sys.exit(f"bundle: name a --platform, one of {', '.join(sorted(PLATFORMS))}")
    name = f"from-logits-to-decisions-{asked.platform}-python{asked.python}"
    target = (asked.output or ROOT / "build" / name).resolve()
    wheels = list(resolve(asked.platform, asked.python).values())
    missing = [wheel for wheel in wheels if not is_here(wheel, target / WHEELS.name)]
    try:
        with ThreadPoolExecutor(8) as pool:
            needed = sum(pool.map(size, missing))
        say(
            f"{len(wheels)} packages; {needed / MEGABYTE:.0f} MB to download for {len(missing)} "
            f"that are not here yet, into {target}"
        )
        if asked.dry_run:
            return
        free = shutil.disk_usage(next(p for p in (target, *target.parents) if p.exists())).free
        if free < needed + 100 * MEGABYTE:
            sys.exit(f"bundle: {free / MEGABYTE:.0f} MB are free there. Free some space.")
        write(wheels, target, asked.platform, asked.python)
    except OSError as error:
        sys.exit(f"bundle: {error}. What has come is kept: run this again.")
    except ValueError as error:
        sys.exit(f"bundle: {error}")
    whole = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    say(
        f"{whole / MEGABYTE:.0f} MB in {target}\n"
        f"Copy it to each machine ({asked.platform}, Python {asked.python}) and run there, with no "
        "network: python3 run.py"
    )


if __name__ == "__main__":
    main()
