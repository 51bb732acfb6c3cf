#!/usr/bin/env bash
# typer: its errors are no longer click's.
#
# Packages: typer 0.29.2, click 8.5.1.
# Expected (no guess was written down): typer builds on click: `except click.ClickException`
# catches a wrong option, and get_command gives a click.Command.
# Seen: typer carries a click of its own; the installed click's classes catch and recognise
# nothing of it.
#
#   typer 0.29.2 click 8.5.1
#   caught: typer._click.exceptions.BadParameter
#   a click.Command: False typer._click.core
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile typer==0.29.2 click==8.5.1
"$folder/venv/bin/python" - <<'END'
from importlib.metadata import version

import click
import typer

app = typer.Typer()


@app.command()
def choose(cost: float = 1.0):
    """Choose."""


try:
    app(["--cost", "much"], standalone_mode=False)
except click.ClickException:
    caught = "click.ClickException"
except Exception as error:
    caught = f"{type(error).__module__}.{type(error).__name__}"
command = typer.main.get_command(app)
print("typer", version("typer"), "click", version("click"))
print("caught:", caught)
print("a click.Command:", isinstance(command, click.Command), type(command).__mro__[1].__module__)
assert caught == "typer._click.exceptions.BadParameter"
assert not isinstance(command, click.Command)
END
