"""The house is as README and CONTRIBUTING draw it: files, sizes, imports, old names, examples."""

import ast
import inspect
import re
import subprocess
import sys
import types
from importlib import import_module
from pathlib import Path

import pytest

from helpers.moved import PLACES

ROOT = Path(__file__).parent.parent
HELPERS = ROOT / "helpers"
FILES = sorted(p for p in HELPERS.rglob("*.py") if p.name != "__init__.py")
MODULES = [".".join(p.relative_to(ROOT).with_suffix("").parts) for p in FILES]


def imports(path):
    """Name the modules of helpers that a file imports when it is loaded."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            base = f"helpers.portable.{node.module or ''}" if node.level else node.module
            names = [f"{base}.{alias.name}" for alias in node.names]
            found |= {name for name in [base, *names] if name in MODULES}
    return found


def layers():
    """Read CONTRIBUTING's picture: module to line, from the top."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    picture = re.search(r"```\n(portable/checks.*?)```", text, re.DOTALL).group(1)
    lines = [re.split(r"\s{2,}#", line)[0].split() for line in picture.splitlines()]
    return {
        "helpers." + name.replace("/", "."): i for i, names in enumerate(lines) for name in names
    }


def test_the_picture_of_the_imports_is_true():
    """Every module stands in the picture once, and imports modules of lines above its own alone."""
    line = layers()
    assert set(line) == set(MODULES)
    wrong = [
        f"{module} imports {other}"
        for path, module in zip(FILES, MODULES, strict=True)
        for other in imports(path)
        if line[other] >= line[module]
    ]
    assert wrong == []


@pytest.mark.parametrize("path", FILES, ids=MODULES)
def test_files_are_short(path):
    """No file has more than 600 lines, and none that travels with a model more than 500."""
    limit = 500 if path.parent.name == "portable" else 600
    assert len(path.read_text(encoding="utf-8").splitlines()) <= limit


@pytest.mark.parametrize(
    ("modules", "absent"),
    [
        (
            ["helpers.decisions", "helpers.probabilities", "helpers.scores"],
            {"torch", "transformers", "pandas", "sklearn", "scipy"},
        ),
        (["helpers.reports", "helpers.plots", "helpers.page"], {"torch", "transformers"}),
    ],
)
def test_a_rule_needs_no_network(modules, absent):
    """What is said to need numpy alone loads neither torch nor anything else that is large."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not absent & set(done.stdout.split())


def test_importing_the_package_loads_nothing():
    """`import helpers` brings in no module but itself: it costs what an empty file costs."""
    code = "import sys; old = set(sys.modules); import helpers; print(*set(sys.modules) - old)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["helpers"]


def test_what_travels_imports_nothing_else():
    """The files of `portable` import each other relatively, and no other part of the package."""
    for path in (HELPERS / "portable").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(
            r"^\s*(from|import) helpers", text.replace(">>> from", ""), re.MULTILINE
        )


def what_is_here():
    """Read README's table: each row's first cell, and its second."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.split("## What is here")[1].split("\n## ")[0]
    return re.findall(r"^\| (.+?) \| (.*?) ?\|$", table, re.MULTILINE)


def test_the_readme_names_every_file():
    """README's table names each file of helpers and each folder, once, and nothing else."""
    named = [name for cell, _ in what_is_here() for name in re.findall(r"`([\w/.]+)`", cell)]
    assert len(named) == len(set(named))
    files = {p.relative_to(ROOT).as_posix() for p in FILES}
    folders = {p.parent.relative_to(ROOT).as_posix() for p in ROOT.glob("[a-z]*/*.py")}
    folders |= {p.parent.relative_to(ROOT).as_posix() for p in ROOT.glob("notebooks/**/*_*.*y*")}
    assert set(named) == files | {"helpers/corpus"} | folders - {"helpers"}


def test_the_readme_says_what_every_file_is():
    """Each row shares a word with the first lines of the files that it names."""

    def words(text):
        return {word[:5] for word in re.findall(r"[a-z]{4,}", text.lower())}

    for cell, said in what_is_here():
        assert said or cell.startswith("**"), cell
        for name in re.findall(r"`(helpers/[\w/]+\.py)`", cell):
            first = ast.get_docstring(ast.parse((ROOT / name).read_text(encoding="utf-8")))
            first = first.split("\n\n")[0]
            assert words(said) & words(first), f"README says of {name} {said!r}, the file {first!r}"


# All public names of the modules before they were divided, but for those that CHANGELOG renames and
# `EQUAL`, a tolerance of the search.
OLD = {
    "helpers.data": "CORPUS INTENTS OTHER TOPICS FAMILIES COLUMNS SPLITS TONES Kind Part Task "
    "check_messages read_messages load_corpus corpus_task table_task label_table_task "
    "stratified_split hub_task hub_label_task",
    "helpers.decisions": "FORMAT_VERSION Costs RejectCosts BinaryThreshold RejectOption "
    "LabelThresholds Rule rule_from_dict fingerprint label_fingerprint check_costs "
    "check_label_logits check_label_matrix check_labels_or_other",
    "helpers.probabilities": "Floats is_real check_logits binary_logit check_binary_labels sigmoid "
    "logit log_softmax softmax fit_temperature confidence check_class_logits prior_shift",
    "helpers.evaluation": "OPTIMISTIC Counts counts CutCurve cut_curve Reliability reliability "
    "paired_bootstrap bootstrap_interval report_binary f1_scores label_scores ranking_scores "
    "report_labels report_each_label paired_bootstrap_f1 RiskCoverage risk_coverage Separation "
    "separation auroc_interval report_reject",
    "helpers.training": "CACHE_VARIABLE FineTuned Loss fine_tune cache_folder resolve_checkpoint "
    "pick_device fast_dtype load_tokenizer predict_logits pooled_outputs weighted_loss focal_loss "
    "asymmetric_loss fit_head",
    "helpers.deployment": "TASKS Deployment save check_place load FORMATS Scored score",
    "helpers.pipeline": "Dtype DECISION_FILE FORMAT FORMAT_VERSION Decision read_decision "
    "file_hash check_head mixed_precision exact_head number_format DecisionPipeline",
    "helpers.recipes": "Checkpoint Settings Recipe INTENT_COSTS URGENT_COSTS MINILM "
    "BERT_MULTILINGUAL BERT_PORTUGUESE BERT_ENGLISH BERT_TURKISH TOXICITY EUROVOC RECIPES",
    "helpers.exercises": "STRICT_VARIABLE Checked check claim",
    "helpers.plots": "score_histogram precision_recall_curve roc_curve cost_curve "
    "reliability_diagram differences learning_curve co_occurrence label_f1 label_thresholds "
    "risk_coverage_curve intervals",
    "helpers.serving": "Limits QueueFull Batcher Gate make_app serve",
}


@pytest.mark.parametrize(("module", "names"), OLD.items(), ids=list(OLD))
def test_old_import_names_work(module, names):
    """What could be imported from a module before it was divided still can."""
    missing = [name for name in names.split() if not hasattr(import_module(module), name)]
    assert missing == []


def test_a_name_that_never_was_is_an_attribute_error():
    """Forwarding hides no misspelling, and each place that it looks in has an old name."""
    for module, places in PLACES.items():
        for place in places:
            assert set(OLD[module].split()) & set(vars(import_module(place))), place
        with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'nothing'"):
            import_module(module).nothing  # noqa: B018


# What an example cannot show: it draws, needs a network or the Hub, or runs for long.
NO_EXAMPLE = {
    "plots": "each draws a figure; the lessons show them",
    "deployment": "needs a network",
    "prediction": "needs a network",
    "scoring": "needs a network",
    "networks": "needs a network",
    "adoption": "needs a network",
    "cost_tables.read_costs_of": "reads a file",
    "serving": "needs a network",
    "training": "trains a network",
    "trainer": "trains a network",
    "gradients": "needs a network",
    "vocabulary": "needs a network",
    "unfinished": "reads and writes the state of a training",
    "processes.start": "waits for the other processes",
    "processes.SharedBatches": "the Trainer calls it",
    "portable.pipeline": "needs a network",
    "doctor": "looks at the machine",
    "__main__": "the command line has its own",
    "columns.check_columns": "returns nothing",
    "lessons.Start.shown": "needs a task with such texts",
    **dict.fromkeys(("downloads.fetch_network", "downloads.load_data_set"), "needs the Hub"),
    "downloads.hub_errors": "needs the Hub",
    **dict.fromkeys(("hub.hub_other_texts", "emotions.emotions_task"), "needs the Hub"),
    "systems.answer_other": "needs a network",
    "hub.hub_task": "needs the Hub",
    "hub.hub_label_task": "needs the Hub",
    "messages.check_messages": "returns nothing",
    **dict.fromkeys(("portable.search.Steps", "portable.search.Sides"), "each choose shows it"),
    **dict.fromkeys(("portable.search.cost_loss", "portable.search.f_loss"), "choose shows it"),
    "portable.reject_search": "RejectOption.choose shows it",
    "watching.watch": "reads files",
    "watching.write": "writes files",
    **dict.fromkeys(
        ("portable.pairs.Pairs", "portable.pairs.promised_pair"), "ReviewBand.choose shows it"
    ),
    "table_files.file_task": "reads files",
    "sources.read_source": "reads files",
    "label_costs.read_label_costs": "reads files",
    "cost_tables": "reads files",
    "portable.bias_search.repair": "MinimumExpectedCost.choose shows it",
    "seen_texts.write_seen": "writes files",
    "table_files.describe": "needs a task",
    "files.write_whole": "writes files",
    "score_choice.choose_for_scores": "reads files",
    "score_pieces.choose_in_pieces": "reads files",
    "tables.open_parquet": "opens a file",
    **dict.fromkeys(("score_shards.score_shards", "score_shards.pair_files"), "reads files"),
    "score_shards.Worker": "needs a network",
    "table_report.report_table": "reads files",
    "table_report.write_page": "writes files",
    **dict.fromkeys(
        (
            "score_files.ScoreRule.logits",
            "score_files.write_rule",
            "score_files.load_array",
            "score_files.check_rule_place",
            "score_files.read_rule",
            "score_files.read_scores",
            "score_files.decide_file",
            "server_scores.read_answer",
        ),
        "reads and writes files, or as_logits shows it",
    ),
    "systems.train": "trains",
    "tables": "reads files",
    "writing": "writes files",
}


def public_functions():
    """Give the public functions, and the public methods of classes that take arguments."""
    for name in MODULES:
        module = import_module(name)
        for key, value in vars(module).items():
            if key.startswith("_") or getattr(value, "__module__", None) != name:
                continue
            short = f"{name.removeprefix('helpers.')}.{key}"
            if isinstance(value, types.FunctionType):
                yield short, value
            elif inspect.isclass(value):
                for method, one in vars(value).items():
                    function = getattr(one, "__func__", one)
                    takes = isinstance(function, types.FunctionType) and (
                        len(inspect.signature(function).parameters) > 1
                    )
                    if takes and not method.startswith("_"):
                        yield f"{short}.{method}", function


def test_public_functions_have_examples():
    """Each shows how it is called, but for those that cannot, which are listed with a reason."""
    lacking = [
        name
        for name, function in public_functions()
        if ">>>" not in (function.__doc__ or "")
        and not any(name == skip or name.startswith(f"{skip}.") for skip in NO_EXAMPLE)
    ]
    assert lacking == []


@pytest.mark.parametrize(
    "path", sorted(Path(__file__).parent.glob("test_*.py")), ids=lambda p: p.stem
)
def test_what_measures_time_is_marked(path):
    """A test that reads a clock is marked `clock`: `run.py test` runs it with nothing beside it."""
    clocks = {"perf_counter", "monotonic", "process_time", "thread_time", "time_ns"}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            reads = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)} & clocks
            marks = [ast.unparse(decorator) for decorator in node.decorator_list]
            assert not reads or "pytest.mark.clock" in marks, node.name


def test_the_readmes_one_liners_run():
    """Each line of "I want to ..." that is Python runs as it stands, on logits of its kind."""
    import json

    import numpy as np

    from helpers import decisions, evaluation, reports, scores, traffic

    rng = np.random.default_rng(0)
    y = (rng.random(2000) < 0.3).astype(int)
    table = (rng.random((2000, 3)) < 0.3).astype(int)
    classes = rng.integers(0, 3, 2000)
    costs = decisions.Costs(false_positive=1, false_negative=20)
    given = {
        "Expected": (rng.normal(6.0 * np.eye(3)[classes]), classes),
        "Reject": (rng.normal(6.0 * np.eye(3)[classes]), classes),
        "Sets": (rng.normal(3.0 * np.eye(3)[classes]), classes),
        "Label": (rng.normal(4.0 * table - 2), table),
        "": (rng.normal(4.0 * y - 2), y),
    }
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = text.split("## I want to ...")[1].split("\n## ")[0]
    lines = [code for row in rows.splitlines() for code in re.findall(r"`([^`]+[)\]])`", row)]
    ran = 0
    for code in lines:
        if re.match(r"save|load|.*[(.]model\b", code):
            continue  # tested where networks are
        kind = next(kind for kind in given if kind in code)
        rule = decisions.BinaryThreshold.choose(*given[""], costs=costs)
        names = {
            **vars(decisions), **vars(evaluation), **vars(reports), **vars(scores), **vars(traffic),
            "logits": given[kind][0] + 0.01, "labels": given[kind][1], "costs": costs,
            "names": ("a", "b", "c"), "matrix": 1 - np.eye(3),
            "rule": rule, "rules": {"this": rule}, "rng": rng,
            "json": json, "values": rule.to_dict(), "p": rng.random(5),
            "report_binary": reports.report_binary,
        }  # fmt: skip
        eval(code, names)
        ran += 1
    assert ran >= 12


@pytest.mark.parametrize("number", ["01", "02", "03", "04", "05", "06"])
def test_minutes_agree(number):
    """A lesson, the README and the sum of the sections in TEACHING.md say the same minutes."""
    root = Path(__file__).parents[1]
    (source,) = (root / "notebooks/source").glob(f"{number}_*.py")
    last, said = map(
        int,
        re.search(
            r"core path \(sections 1 to (\d)\) takes about (\d+) minutes",
            source.read_text(encoding="utf-8"),
        ).groups(),
    )
    table = (root / "README.md").read_text(encoding="utf-8")
    told = re.search(rf"{source.stem}\.ipynb\) \| (\d+), and (\d+) further", table).groups()
    teaching = (root / "TEACHING.md").read_text(encoding="utf-8")
    heading = (
        "## Section by section" if number == "01" else f"## Lesson {number}, section by section"
    )
    rows = teaching.split(heading)[1].split("\n## ")[0]
    parts = [int(m) for m in re.findall(r"^\| \d · [^|]*\| (\d+) \|", rows, flags=re.M)]
    assert (sum(parts[:last]), sum(parts[last:])) == (said, int(told[1])) == tuple(map(int, told))


def test_a_term_stands_in_the_lesson_that_the_glossary_names():
    """Who follows the number of a term to its lesson finds the term there."""
    root = Path(__file__).parents[1]

    def plain(text):
        return re.sub(r"[^a-z0-9]", "", re.sub(r"\n# ", " ", text).lower())

    lessons = {
        path.stem[:2]: plain(path.read_text(encoding="utf-8"))
        for path in (root / "notebooks/source").glob("[0-9][0-9]_*.py")
    }
    text = (root / "GLOSSARY.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| .* \(([\d, ]+)\) \|$", text, flags=re.MULTILINE)
    names = {term: re.split(r", | / | \(", term) for term, _ in rows}
    lost = [
        (term, number)
        for term, numbers in rows
        for number in re.findall(r"\d+", numbers)
        if not any(plain(one) in lessons[number] for one in names[term])
    ]
    assert len(rows) > 60 and not lost
