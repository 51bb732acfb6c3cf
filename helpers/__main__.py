"""The command line: doctor, train, score, serve.

python -m helpers --help
"""

import os
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="From logits to decisions: check this machine, train, score files, serve.",
)


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
    options: dict[str, Any] = {"dtype": tuned.dtype, "max_length": settings.max_length}
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
    source: Annotated[Path, typer.Argument(help="A .csv, .tsv, .jsonl (or .gz) or .parquet file.")],
    target: Annotated[Path, typer.Argument(help="The file to write, in any of these formats.")],
    text: Annotated[str, typer.Option(help="The column with the texts.")] = "text",
    encoding: Annotated[str, typer.Option(help="Of the source, as latin-1.")] = "utf-8",
) -> None:
    """Decide every row of a file; the same command goes on after an interruption.

    The exit code is 3 if no row at all could be decided; then no target is written.

    Example: python -m helpers score models/urgent inbox.csv decided.csv
    """
    from helpers import scoring

    started = time.perf_counter()
    done = scoring.score(folder, source, target, text=text, encoding=encoding, progress=True)
    seconds = time.perf_counter() - started
    if done.rows or not done.bad:
        typer.echo(f"{done.rows} rows decided in {seconds:.0f} s, written to {target}")
    if done.resumed:
        typer.echo(f"{done.resumed} chunks were taken up from an earlier run")
    if done.bad:
        typer.echo(f"{done.bad} bad rows, with reasons, in {done.bad_file}")
    if done.bad and not done.rows:
        typer.echo("error: no row could be decided", err=True)
        raise typer.Exit(3)


@app.command()
def rule(
    folder: Annotated[Path, typer.Argument(help="Where network and rule were saved.")],
    threshold: Annotated[
        float | None, typer.Option(help="A probability, or a confidence, from 0 to 1.")
    ] = None,
    thresholds: Annotated[
        str | None, typer.Option(help="For many labels: name=0.3,other name=0.7.")
    ] = None,
    false_positive: Annotated[float | None, typer.Option(help="Cost, for the formula.")] = None,
    false_negative: Annotated[float | None, typer.Option(help="Cost, for the formula.")] = None,
    reject: Annotated[float | None, typer.Option(help="Cost of Other, for the formula.")] = None,
    error: Annotated[float | None, typer.Option(help="Cost of a wrong label.")] = None,
    old_rate: Annotated[
        float | None, typer.Option(help="Share of yes where it was chosen.")
    ] = None,
    new_rate: Annotated[float | None, typer.Option(help="Share of yes where it is used.")] = None,
) -> None:
    """Show the rule of a saved folder; with an option, change it, and the model card with it.

    Example: python -m helpers rule models/urgent --false-positive 1 --false-negative 50
    """
    import json

    from helpers import deployment
    from helpers.decisions import Costs, RejectCosts
    from helpers.portable.pipeline import read_decision
    from helpers.rules import changed

    old = read_decision(folder.expanduser()).rule
    costs: Costs | RejectCosts | None = None
    if false_positive is not None or false_negative is not None:
        if false_positive is None or false_negative is None:
            raise ValueError("give both --false-positive and --false-negative")
        costs = Costs(false_positive=false_positive, false_negative=false_negative)
    elif reject is not None or error is not None:
        costs = RejectCosts(reject=reject or 0.0, error=1.0 if error is None else error)
    rates = None if old_rate is None and new_rate is None else (old_rate, new_rate)
    new = changed(old, threshold=threshold, thresholds=thresholds, costs=costs, rates=rates)
    if new is not None:
        deployment.change_rule(folder, new)
    typer.echo(json.dumps((new or old).to_dict(), indent=2, ensure_ascii=False))


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
    from helpers.doctor import checks

    worst = False
    for name, status, text in checks(quick=quick):
        typer.echo(f"{status:8} {name:12} {text}")
        worst = worst or status == "problem"
    raise typer.Exit(1 if worst else 0)


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main() -> None:
    """Run; an error that the user can mend is one line."""
    warnings.formatwarning = lambda message, *_, **__: f"note: {message}\n"
    try:
        app()
    except (ValueError, OSError) as error:
        sys.exit(f"error: {' '.join(str(error).split())}")


if __name__ == "__main__":
    main()
