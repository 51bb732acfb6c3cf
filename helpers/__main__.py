"""The command line: doctor, train, adopt, report, score, watch, rule, serve; choose, decide.

python -m helpers --help
"""

import os
import sys
import time
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from helpers.options import (
    CostTable,
    Encoding,
    EngineName,
    Error,
    FalseNegative,
    FalsePositive,
    LabelColumns,
    LowMemory,
    Place,
    Positive,
    Reject,
    Resume,
    Review,
    Revision,
    Separator,
    Subset,
    Workers,
    takes_criterion,
)

# As in run.py: threads that wait spin for a moment only, or they burn the cores that others need.
THREADS = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000"}
USAGE_ERROR: Any = typer.BadParameter.__base__  # of an unknown option too; it has no public name
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="From logits to decisions: check this machine, train, report, score files, watch, serve.",
)


@app.command()
@takes_criterion
def train(
    recipe: Annotated[
        str,
        typer.Argument(
            help="A recipe, as urgent; a .csv, .tsv, .jsonl or .parquet file; several, as "
            "'parts/*.csv' in quotes; a folder or an id, as owner/name, that datasets loads."
        ),
    ],
    output: Place,
    profile: Annotated[str, typer.Option(help="Of a recipe: offline or hub.")] = "offline",
    seed: Annotated[int, typer.Option(help="Seed of the split and the training.")] = 0,
    texts: Annotated[int | None, typer.Option(help="Train on so many texts only.", min=1)] = None,
    text: Annotated[str, typer.Option(help="Of a table: the column with the texts.")] = "text",
    label: LabelColumns = "label",
    kind: Annotated[
        str | None, typer.Option(help="binary, multiclass or multilabel; else told from the table.")
    ] = None,
    separator: Separator = None,
    positive: Positive = None,
    split: Annotated[
        str | None, typer.Option(help="Column with train, validation, test; else at random.")
    ] = None,
    subset: Subset = None,
    encoding: Encoding = "utf-8",
    checkpoint: Annotated[
        str | None, typer.Option(help="A pretrained encoder to start from: a folder or owner/name.")
    ] = None,
    revision: Revision = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the training texts.", min=1)
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Texts an optimizer step.", min=1)] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="Of the pretrained body, at its peak; at most 3e-5 if 768 wide."),
    ] = None,
    max_length: Annotated[int | None, typer.Option(help="Tokens of a text to read.", min=3)] = None,
    resume: Resume = True,
    costs: CostTable = None,
    *,
    criterion: dict[str, Any],
) -> None:
    """Fine-tune, choose the rule on the validation part, report on the test part, save.

    Without a way to choose, a table takes: yes/no the cut of equal costs, one of many Other at 0.4
    of an error, many labels macro-F1.

    Example: python -m helpers train urgent --output models/urgent

    Example: python -m helpers train messages.csv --text message --label urgent --positive yes
    --false-positive 1 --false-negative 20 --output models/mine

    Example: python -m helpers train messages.csv --label urgent --positive yes
    --max-false-omission 0.02 --max-false-discovery 0.3 --confidence 0.9 --output models/band
    """
    from helpers import deployment, systems
    from helpers.cost_tables import read_costs
    from helpers.recipes import OWN_TABLE, RECIPES
    from helpers.sources import is_source
    from helpers.table_files import describe, file_task

    is_table = is_source(recipe) and recipe not in {name for name, _ in RECIPES}
    if not is_table and (recipe, profile) not in RECIPES:
        known = ", ".join(f"{name} ({where})" for name, where in RECIPES)
        raise ValueError(f"there is no recipe {recipe} ({profile}); there are {known}")
    for_tables = {"kind": kind, "separator": separator, "positive": positive, "split": split}
    for_tables["subset"] = subset
    if not is_table and (given := [name for name in for_tables if for_tables[name] is not None]):
        raise ValueError(f"--{given[0]} is for a table, and {recipe} is a recipe")
    if not is_table and (text, label, encoding) != ("text", "label", "utf-8"):
        raise ValueError(f"--text, --label, --encoding are for a table, and {recipe} is a recipe")
    if is_table and profile != "offline":
        raise ValueError(f"--profile is for a recipe, and {recipe} is a table")
    if checkpoint is None and revision is not None:
        raise ValueError("--revision is that of a --checkpoint: name one")
    deployment.check_place(output)  # before the table is read
    if is_table:
        task = file_task(
            recipe,
            text=text,
            labels=[name.strip() for name in label.split(",")],
            encoding=encoding,
            seed=seed,
            **for_tables,  # type: ignore[arg-type]
        )
        plan = OWN_TABLE[task.kind]
    else:
        plan = RECIPES[recipe, profile]
        task = plan.load_task()
    if costs is not None:
        criterion |= read_costs(costs, task.label_names, task.kind)
    for line in describe(task):
        typer.echo(line)
    if plan.estimate:
        typer.echo(f"on a T4 it takes an estimated {plan.estimate}")
    made = systems.train(
        task,
        output,
        plan=plan,
        criterion=criterion,
        checkpoint=checkpoint,
        revision=revision,
        texts=texts,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        max_length=max_length,
        seed=seed,
        resume=resume,
        progress=sys.stderr.isatty(),
    )
    _show_reports(made.reports)
    if plan.load_other is not None:
        typer.echo(systems.answer_other(made.ready, plan.load_other()))
    if plan.published:
        typer.echo(f"published: {plan.published}")
    typer.echo(f"saved in {output}; try: python -m helpers serve {output}")


@app.command()
@takes_criterion
def adopt(
    network: Annotated[
        str, typer.Argument(help="A folder with network and tokenizer, or owner/name.")
    ],
    source: Annotated[str, typer.Argument(help="As for train: rows that did not train it.")],
    output: Place,
    revision: Revision = None,
    text: Annotated[str, typer.Option(help="The column with the texts.")] = "text",
    label: LabelColumns = "label",
    separator: Separator = None,
    names: Annotated[
        str | None, typer.Option(help="Names of the labels in the order of the logits: a,b,c.")
    ] = None,
    positive: Positive = None,
    subset: Subset = None,
    encoding: Encoding = "utf-8",
    max_length: Annotated[
        int | None, typer.Option(help="Tokens of a text to read; else all, up to 512.")
    ] = None,
    dtype: Annotated[
        str, typer.Option(help="fp32, bf16, fp16, or auto, the fastest here.")
    ] = "fp32",
    temperature: Annotated[
        bool, typer.Option("--temperature", help="Fit a temperature on the same rows first.")
    ] = False,
    costs: CostTable = None,
    *,
    criterion: dict[str, Any],
) -> None:
    """Choose a rule for a network that is fine-tuned already, and save both as train does.

    Example: python -m helpers adopt downloads/network validation.csv --label urgent --names no,yes
    --false-positive 1 --false-negative 20 --output models/mine

    Example: python -m helpers adopt downloads/network validation.csv --label topic
    --reject 0.4 --unknown-price 0.2 --output models/desks
    """
    from helpers import adoption

    adopted = adoption.adopt(
        network,
        source,
        output,
        text=text,
        labels=[one.strip() for one in label.split(",")],
        separator=separator,
        names=[one.strip() for one in names.split(",")] if names else None,
        positive=positive,
        criterion=criterion,
        costs=costs,
        temperature=temperature,
        revision=revision,
        subset=subset,
        max_length=max_length,
        dtype=dtype,  # type: ignore[arg-type]
        encoding=encoding,
    )
    for line in adopted.notes:
        typer.echo(line)
    _show_reports({"Validation rows": adopted.report})
    typer.echo(f"saved in {output}; try: python -m helpers serve {output}")


@app.command()
@takes_criterion
def choose(
    source: Annotated[
        Path, typer.Argument(help="A table with scores and labels; .npy, or .json of a server.")
    ],
    score: Annotated[str, typer.Option(help="Score columns in the order of the labels: a,b,c.")],
    label: Annotated[
        str, typer.Option(help="The column with the true label; many labels: a column each; .npy.")
    ],
    output: Annotated[Path, typer.Option(help="The .json file to write the rule in.")],
    names: Annotated[str | None, typer.Option(help="Names of the labels: a,b,c.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="binary, multiclass or multilabel, if it cannot be told.")
    ] = None,
    positive: Positive = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="The scores are softmax or sigmoid values.")
    ] = False,
    low_memory: LowMemory = False,
    encoding: Encoding = "utf-8",
    costs: CostTable = None,
    *,
    criterion: dict[str, Any],
) -> None:
    """Choose a rule for scores of another system; they must not have trained it.

    Example: python -m helpers choose scored.csv --score p --label urgent --positive yes
    --probabilities --false-positive 1 --false-negative 20 --output urgent.json

    Example: python -m helpers choose scored.csv --score bin,bus,tax --label topic
    --set-coverage 0.9 --set-score aps --randomized --output sets.json
    """
    import json

    from helpers.score_choice import choose_for_scores
    from helpers.score_files import check_rule_place, write_rule

    check_rule_place(output)
    kept, notes = choose_for_scores(
        source,
        low_memory=low_memory,
        scores=[one.strip() for one in score.split(",")],
        labels=label if label.endswith(".npy") else [one.strip() for one in label.split(",")],
        names=[one.strip() for one in names.split(",")] if names else None,
        kind=kind,  # type: ignore[arg-type]
        positive=positive,
        scale="probabilities" if probabilities else "logits",
        criterion=criterion,
        costs=costs,
        encoding=encoding,
    )
    for line in notes:
        typer.echo(line)
    typer.echo(json.dumps(kept.rule.to_dict(), indent=2, ensure_ascii=False))
    typer.echo(
        f"written to {write_rule(output, kept)}; try: python -m helpers decide {output} "
        "NEW.csv OUT.csv"
    )


@app.command()
def decide(
    rule: Annotated[Path, typer.Argument(help="The .json file that choose wrote.")],
    source: Annotated[
        Path, typer.Argument(help="A table with the same score columns, or a server's .json.")
    ],
    target: Annotated[Path, typer.Argument(help="The file to write, in any of these formats.")],
    encoding: Encoding = "utf-8",
) -> None:
    """Decide every row of a table of scores; no network and no torch are needed.

    Example: python -m helpers decide urgent.json scored.csv decided.csv
    """
    from helpers.score_files import decide_file

    n = decide_file(rule, source, target, encoding=encoding)
    typer.echo(f"{n} rows decided, written to {target}")


@app.command()
def report(
    place: Annotated[Path, typer.Argument(help="A saved folder, or the .json of choose.")],
    source: Annotated[
        str,
        typer.Argument(help="A table as train takes it, or a data set: its test part."),
    ],
    output: Annotated[
        Path, typer.Option(help="The .html file to write; figures go beside it as .report.json.")
    ],
    text: Annotated[str, typer.Option(help="The column with the texts.")] = "text",
    label: LabelColumns = "label",
    separator: Separator = None,
    split: Annotated[
        str | None, typer.Option(help="Column with train, validation, test: test is reported.")
    ] = None,
    subset: Subset = None,
    id_column: Annotated[
        str | None, typer.Option(help="A column that names a row, shown where it is listed.")
    ] = None,
    seen: Annotated[
        bool, typer.Option("--seen", help="These rows chose the rule: stamp the figures.")
    ] = False,
    encoding: Encoding = "utf-8",
) -> None:
    """Report a saved rule on new labelled rows, as one page that needs no network.

    Example: python -m helpers report models/urgent test.csv --label urgent --output urgent.html
    """
    from helpers.files import check_target
    from helpers.table_report import report_table, write_page

    check_target(output, ".html")
    page = report_table(
        place,
        source,
        text=text,
        labels=[one.strip() for one in label.split(",")],
        separator=separator,
        split=split,
        subset=subset,
        id_column=id_column,
        seen=seen,
        encoding=encoding,
    )
    typer.echo(page.sections[1]["text"])
    typer.echo("written to " + " and ".join(map(str, write_page(page, output))))


@app.command()
def score(
    folder: Annotated[Path, typer.Argument(help="Where network and rule were saved.")],
    source: Annotated[Path, typer.Argument(help="A .csv, .tsv, .jsonl[.gz], .parquet; or 'in/*'.")],
    target: Annotated[Path, typer.Argument(help="The file to write, or a folder.")],
    text: Annotated[str, typer.Option(help="The column with the texts.")] = "text",
    encoding: Annotated[str, typer.Option(help="Of the source, as latin-1.")] = "utf-8",
    engine: EngineName = "local",
    workers: Workers = None,
) -> None:
    """Decide every row of a file; the same command goes on after an interruption.

    The exit code is 3 if no row at all could be decided; then no target is written.

    Example: python -m helpers score models/urgent inbox.csv decided.csv
    """
    from helpers import score_shards, scoring

    started = time.perf_counter()
    if score_shards.is_many(source, engine):
        asked: Any = {"text": text, "encoding": encoding, "engine": engine, "workers": workers}
        many = score_shards.score_shards(folder, source, target, progress=True, **asked)
        return typer.echo(score_shards.in_words(many, time.perf_counter() - started))
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
def watch(
    folder: Annotated[Path, typer.Argument(help="As train or adopt saved it.")],
    source: Annotated[str, typer.Argument(help="A table that score wrote, or one of texts.")],
    output: Annotated[
        Path | None, typer.Option(help="Also write the tables, as .html or .json.")
    ] = None,
    text: Annotated[str, typer.Option(help="The column with the texts.")] = "text",
    encoding: Encoding = "utf-8",
    false_positive: FalsePositive = None,
    false_negative: FalseNegative = None,
    review: Review = None,
    reject: Reject = None,
    error: Error = None,
) -> None:
    """Compare messages without labels with those that chose the rule: what moved, what it costs.

    Costs are those that the rule was chosen by, if none are given.

    Example: python -m helpers watch models/urgent decided.csv --output watch.html
    """
    from helpers import watching

    target = None if output is None else watching.check_page(output)
    costs = watching.costs_of(false_positive, false_negative, reject, error)
    page = watching.watch(folder, source, text=text, costs=costs, review=review, encoding=encoding)
    for line in watching.in_lines(page):
        typer.echo(line)
    if target is not None:
        typer.echo("written to " + " and ".join(map(str, watching.write(page, target))))


@app.command()
def rule(
    folder: Annotated[Path, typer.Argument(help="Where network and rule were saved.")],
    threshold: Annotated[
        float | None, typer.Option(help="A probability, or a confidence on the rule's own scale.")
    ] = None,
    thresholds: Annotated[
        str | None,
        typer.Option(help="Many labels: name=0.3,other=0.7; a band: low=0.1,high=0.6."),
    ] = None,
    false_positive: Annotated[float | None, typer.Option(help="Cost, for the formula.")] = None,
    false_negative: Annotated[float | None, typer.Option(help="Cost, for the formula.")] = None,
    reject: Annotated[float | None, typer.Option(help="Cost of Other, for the formula.")] = None,
    error: Annotated[float | None, typer.Option(help="Cost of a wrong label.")] = None,
    costs: Annotated[
        Path | None,
        typer.Option(help="Another table of costs, as train takes it."),
    ] = None,
    old_rate: Annotated[float | None, typer.Option(help="Share of yes at the choice.")] = None,
    new_rate: Annotated[float | None, typer.Option(help="Share of yes where it is used.")] = None,
) -> None:
    """Show the rule of a saved folder; with an option, change it, and the model card with it.

    Example: python -m helpers rule models/urgent --false-positive 1 --false-negative 50
    """
    import json

    from helpers import deployment
    from helpers.cost_tables import read_costs_of
    from helpers.decisions import CostMatrix, Costs, RejectCosts
    from helpers.portable.pipeline import read_decision
    from helpers.rules import changed

    if not folder.expanduser().is_dir():  # else the name would be looked for on the Hub
        raise ValueError(f"there is no folder {folder}")
    old = read_decision(folder.expanduser()).rule
    prices: Costs | RejectCosts | CostMatrix | list[Costs] | None = None
    if costs is not None:
        if any(one is not None for one in (false_positive, false_negative, reject, error)):
            raise ValueError("--costs holds all costs: leave the others out")
        prices = read_costs_of(old, costs)
    elif false_positive is not None or false_negative is not None:
        if false_positive is None or false_negative is None:
            raise ValueError("give both --false-positive and --false-negative")
        prices = Costs(false_positive=false_positive, false_negative=false_negative)
    elif reject is not None or error is not None:
        prices = RejectCosts(reject=reject or 0.0, error=1.0 if error is None else error)
    rates = None if old_rate is None and new_rate is None else (old_rate, new_rate)
    new = changed(old, threshold=threshold, thresholds=thresholds, costs=prices, rates=rates)
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


def _show_reports(reports: dict[str, list[dict[str, Any]]]) -> None:
    for name, table in reports.items():
        typer.echo(f"{name}:")
        for row in table:
            said = {key: _short(value) for key, value in row.items() if value not in ("", None)}
            if {"difference", "low", "high"} <= set(said):
                said["difference"] += f" (95 %: {said.pop('low')} to {said.pop('high')})"
            typer.echo("  " + ", ".join(f"{key} {value}" for key, value in said.items()))


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main() -> None:
    """Run; an error that the user can mend is one line."""
    for name, value in THREADS.items():  # read when torch is loaded, which is later
        os.environ.setdefault(name, value)
    warnings.formatwarning = lambda message, *_, **__: f"note: {message}\n"
    several = os.environ.get("WORLD_SIZE", "1") != "1"
    if several and os.environ.get("RANK", "0") != "0":  # under torchrun the first speaks for all
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        warnings.simplefilter("ignore")
    if len(sys.argv) == 1:
        sys.argv.append("--help")
    try:
        sys.exit(app(standalone_mode=False))
    except USAGE_ERROR as error:
        typer.echo(f"error: {error.format_message().rstrip('.')}; see --help", err=True)
        sys.exit(error.exit_code)
    except (ValueError, OSError) as error:
        sys.exit(f"error: {' '.join(str(error).split())}")
    except typer.Abort:
        sys.exit("error: stopped")


if __name__ == "__main__":
    main()
