"""Save and load a network with its rule. Lesson 04 explains it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import transformers
from numpy.typing import NDArray

from helpers.files import write_whole
from helpers.moved import forward
from helpers.portable.decisions import DECISION_FILE, Decision, Dtype, Rule
from helpers.portable.pipeline import DecisionPipeline, check_head, file_hash, read_decision
from helpers.portable.texts import check_texts
from helpers.prediction import (
    check_max_length,
    foreign_disk_errors,
    load_tokenizer,
    pick_device,
    predict_logits,
    predict_logits_and_truncation,
)
from helpers.reference import REFERENCE_FILE, Reference, write_reference
from helpers.seen_texts import SEEN_FILE, write_seen

# the alias would otherwise give the plain pipeline, and lose the rule
PORTABLE = Path(__file__).parent / "portable"  # its files travel with the network
KEPT = {
    SEEN_FILE: "keeps a hash of each text that trained the network or chose the rule: "
    "`python -m helpers report` tells them from new texts by it",
    REFERENCE_FILE: "keeps the logits and labels of the rows that chose the rule, and hashes of "
    "words: `python -m helpers watch` compares new messages with them",
}
TASKS = ("text-classification", "sentiment-analysis")


@dataclass(frozen=True, eq=False)
class Deployment:
    """A network with its rule, ready to answer.

    Attributes
    ----------
    model : PreTrainedModel
        In evaluation mode.
    tokenizer : PreTrainedTokenizerBase
    decision : Decision
    """

    model: Any
    tokenizer: Any
    decision: Decision

    @property
    def rule(self) -> Rule:
        """The rule."""
        return self.decision.rule

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Compute logits as the rule needs them.

        Parameters
        ----------
        texts : sequence of str, length n

        Returns
        -------
        ndarray of float32, shape (n, n_logits)
        """
        return predict_logits(self.model, self.tokenizer, texts, **self._options)

    def logits_and_truncation(
        self, texts: Sequence[str]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Compute logits as the rule needs them, and tell which texts were cut.

        Parameters
        ----------
        texts : sequence of str, length n

        Returns
        -------
        logits : ndarray of float32, shape (n, n_logits)
        truncated : ndarray of bool, shape (n,)
        """
        return predict_logits_and_truncation(self.model, self.tokenizer, texts, **self._options)

    @property
    def _options(self) -> dict[str, Any]:
        return {"dtype": self.decision.dtype, "max_length": self.decision.max_length}

    def explain(self, texts: Iterable[str]) -> list[dict[str, Any]]:
        """Decide texts, with reasons.

        Parameters
        ----------
        texts : sequence of str, length n

        Returns
        -------
        list of dict, length n
            The rule's records, in the order of the texts; each also says whether its text was
            ``truncated``.

        Raises
        ------
        ValueError
            If a text is no string or blank, or `texts` has no order.
        """
        listed = check_texts(texts)
        if not listed:
            return []
        logits, truncated = self.logits_and_truncation(listed)
        records = self.rule.explain(logits)
        return [
            {**record, "truncated": bool(lost)}
            for record, lost in zip(records, truncated, strict=True)
        ]

    def pipeline(self, **options: Any) -> DecisionPipeline:
        """Wrap network and rule as a transformers pipeline.

        Parameters
        ----------
        **options
            As for `DecisionPipeline`.

        Returns
        -------
        DecisionPipeline
        """
        return DecisionPipeline(
            model=self.model,
            tokenizer=self.tokenizer,
            decision=self.decision,
            device=self.model.device,
            **options,
        )


# Save and load


def save(
    directory: str | Path,
    model: Any,
    tokenizer: Any,
    rule: Rule,
    *,
    dtype: Dtype,
    max_length: int = 128,
    data: str = "",
    base_model: str | None = None,
    reports: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    limits: str = "",
    seen: Mapping[str, Iterable[str]] | None = None,
    reference: Reference | None = None,
) -> Path:
    """Write network, tokenizer, rule, pipeline code and model card into one folder.

    Parameters
    ----------
    directory : path
        New, empty, or a folder that this function wrote: that one is replaced.
    model : PreTrainedModel
    tokenizer : PreTrainedTokenizerBase
    rule : a rule of `helpers.decisions`
    dtype : "bf16", "fp16" or "fp32"
        Mixed precision of the logits that the rule was chosen on.
    max_length : int, default 128
        Tokens; longer texts were, and will be, cut.
    data : str
        Name of the data, for the decision file and the model card.
    base_model : str, optional
        The pretrained checkpoint on the Hub, for the model card.
    reports : mapping of str to list of dict, optional
        Tables for the model card, each under its name, as ``report_binary`` gives them.
    limits : str
        What a user must know, for the model card.
    seen : mapping of str to iterable of str, optional
        The texts of the parts ``train`` and ``validation``. Hashes of them are kept, by which
        `report_table` tells them from new ones.
    reference : Reference, optional
        The rows that chose the rule, as `make_reference` gives them: `watch` compares later ones
        with them.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ValueError
        If the labels of network and rule differ, or the directory holds something else.

    Notes
    -----
    Everything is written beside the place, then moved: a crash leaves the old folder or the new
    one. Between the two moves the old folder is called ``.NAME.previous-of-save``; `load` and
    `save` put it back.
    """
    directory = check_place(directory)
    check_head(model, rule)
    check_max_length(model, max_length)
    scratch = directory.with_name(f".{directory.name}.scratch-of-save")
    shutil.rmtree(scratch, ignore_errors=True)  # of a run that crashed
    try:
        with foreign_disk_errors():
            _write(scratch, model, tokenizer)
        files = {p.name: file_hash(p) for p in sorted(scratch.iterdir())}  # all decide an answer
        decision = Decision(rule=rule, dtype=dtype, max_length=max_length, files=files, data=data)
        (scratch / DECISION_FILE).write_text(_as_text(decision), encoding="utf-8")
        if seen is not None:
            write_seen(scratch, seen)
        if reference is not None:
            write_reference(scratch, reference)
        kept = [name for name in KEPT if (scratch / name).exists()]
        card = _model_card(decision, base_model, reports or {}, limits, kept)
        (scratch / "README.md").write_text(card, encoding="utf-8")
        previous = _previous(directory)
        if directory.exists():
            shutil.rmtree(previous, ignore_errors=True)
            directory.rename(previous)
        scratch.rename(directory)
        shutil.rmtree(previous, ignore_errors=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        _recover(directory)
    return directory


def check_place(directory: str | Path) -> Path:
    """Say whether `save` may write to a folder.

    Parameters
    ----------
    directory : path

    Returns
    -------
    Path
        The same place, absolute, links resolved.

    Raises
    ------
    ValueError
        If it is a file, or a folder that holds anything that `save` did not write.
    """
    directory = Path(os.path.realpath(Path(directory).expanduser()))
    _recover(directory)
    if directory.exists() and not directory.is_dir():
        raise ValueError(f"{directory} is a file: name a folder")
    if directory.is_dir() and any(directory.iterdir()) and not _is_ours(directory):
        raise ValueError(f"{directory} holds other files: name a new folder")
    return directory


def _is_ours(directory: Path) -> bool:
    """Tell whether `save` wrote a folder, and no folder was put into it since."""
    try:
        Decision.from_dict(json.loads((directory / DECISION_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return False
    return not any(p.is_dir() and p.name != "__pycache__" for p in directory.iterdir())


def _write(folder: Path, model: Any, tokenizer: Any) -> None:
    """Write network, tokenizer and the pipeline's code."""
    folder.mkdir(parents=True)
    kept = getattr(model.config, "custom_pipelines", None)
    model.config.custom_pipelines = {
        task: {
            "impl": "pipeline.DecisionPipeline",
            "pt": ["AutoModelForSequenceClassification"],
            "type": "text",
        }
        for task in TASKS
    }
    bars = transformers.utils.logging.is_progress_bar_enabled()
    transformers.logging.disable_progress_bar()
    try:
        model.save_pretrained(folder)
    finally:
        if bars:
            transformers.logging.enable_progress_bar()
        if kept is None:
            del model.config.custom_pipelines
        else:
            model.config.custom_pipelines = kept
    tokenizer.save_pretrained(folder)
    for module in PORTABLE.glob("[!_]*.py"):
        shutil.copyfile(module, folder / module.name)


def change_rule(directory: str | Path, rule: Rule) -> Path:
    """Give a saved network another rule: a new cut, or new costs.

    Parameters
    ----------
    directory : path
        As `save` wrote it.
    rule : a rule of `helpers.decisions`
        For the same labels, and the same kind of task.

    Returns
    -------
    Path
        The decision file: the old one, or the new one, never half of each.

    Raises
    ------
    ValueError
        If the folder is not sound, or the rule is of another type or for other labels.
    """
    directory = Path(os.path.realpath(Path(directory).expanduser()))
    _recover(directory)
    decision = read_decision(directory)
    old = decision.rule
    if type(rule) is not type(old) or tuple(rule.label_names) != tuple(old.label_names):
        raise ValueError(
            f"expected a {type(old).__name__} for the labels {', '.join(old.label_names[:5])}, got "
            f"a {type(rule).__name__} for {', '.join(rule.label_names[:5])}"
        )
    changed = replace(decision, rule=rule)
    write_whole(directory / DECISION_FILE, _as_text(changed))
    card = directory / "README.md"
    if card.is_file():
        lines = card.read_text(encoding="utf-8").splitlines(keepends=True)
        about = {line.split(": ")[0]: line for line in _about(changed)}
        text = [
            f"{about[head]}\n" if (head := line.split(": ")[0]) in about else line for line in lines
        ]
        write_whole(card, "".join(text))
    return directory / DECISION_FILE


def _as_text(decision: Decision) -> str:
    return json.dumps(decision.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _previous(directory: Path) -> Path:
    return directory.with_name(f".{directory.name}.previous-of-save")


def _recover(directory: Path) -> None:
    """Put the old folder back if a crash fell between the two moves of `save`."""
    previous = _previous(directory)
    if previous.is_dir() and not directory.exists():
        previous.rename(directory)


def load(directory: str | Path) -> Deployment:
    """Load what `save` wrote, without running any code from the folder.

    Parameters
    ----------
    directory : path

    Returns
    -------
    Deployment

    Raises
    ------
    ValueError
        If the folder is missing, or its decision file is missing, corrupt, foreign, newer, or
        belongs to other weights or labels; the message says what to do.
    """
    directory = Path(os.path.abspath(Path(directory).expanduser()))
    _recover(directory)
    if not directory.is_dir():
        raise ValueError(f"there is no folder {directory}: save one with helpers.deployment.save")
    decision = read_decision(directory)
    device = pick_device()
    with _quiet():
        model = transformers.AutoModelForSequenceClassification.from_pretrained(
            directory,
            dtype="auto",
            attn_implementation="eager" if device.type == "cpu" else None,  # faster for short texts
        )
    check_head(model, decision.rule)
    check_max_length(model, decision.max_length)
    return Deployment(model.to(device).eval(), load_tokenizer(directory), decision)


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide the bar that loading weights shows."""
    bars = transformers.utils.logging.is_progress_bar_enabled()
    transformers.logging.disable_progress_bar()
    try:
        yield
    finally:
        if bars:
            transformers.logging.enable_progress_bar()


def _model_card(
    decision: Decision,
    base_model: str | None,
    reports: Mapping[str, Sequence[Mapping[str, Any]]],
    limits: str,
    kept: Sequence[str] = (),
) -> str:
    """Write a README.md in the Hub's format."""
    rule = decision.rule
    head = ["library_name: transformers", "pipeline_tag: text-classification"]
    head += [f"base_model: {base_model}"] if base_model else []
    about = [
        *(line[2:] for line in _about(decision)),
        f"Data: {decision.data or 'not named'}",
        f"Labels, in order: {', '.join(rule.label_names)}",
        f"Logits in {decision.dtype}, texts truncated at {decision.max_length} tokens",
    ]
    about += [f"`{name}` {KEPT[name]}. It may be deleted" for name in kept]
    tables = [f"## {name}\n\n{_table(rows)}" for name, rows in reports.items()]
    uses = (
        "Network and rule belong together: `decision.json` holds the rule. Without remote code, "
        "with the helpers:\n\n"
        "```python\nfrom helpers.deployment import load\n\n"
        'load("FOLDER").explain(["a text"])\n```\n\n'
        "With transformers alone; read the `.py` files first:\n\n"
        "```python\nfrom transformers import pipeline\n\n"
        'pipeline("text-classification", model="FOLDER", trust_remote_code=True)("a text")\n```'
    )
    sections = [
        "---\n" + "\n".join(head) + "\n---",
        "# A text classifier with its decision rule",
        uses,
        "## Rule and data\n\n" + "\n".join(f"- {line}" for line in about),
        *tables,
        "## Limits\n\n"
        + (limits + "\n\n" if limits else "")
        + "The rule fits texts like those that it was chosen on. If the share of a label changes, "
        "or the prices do, choose or shift the rule anew.",
    ]
    return "\n\n".join(sections) + "\n"


def _about(decision: Decision) -> list[str]:
    """Write the lines of the model card that change with the rule."""
    rule = decision.rule
    values = json.dumps(_without_names(rule), ensure_ascii=False)
    return [
        f"- Rule: {type(rule).__name__}, {values}",
        f"- How it was chosen: {json.dumps(rule.chosen, ensure_ascii=False)}",
    ]


def _without_names(rule: Rule) -> dict[str, Any]:
    left_out = ("label_names", "chosen", "rule", "format_version")
    return {k: v for k, v in rule.to_dict().items() if k not in left_out}


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows in Markdown; as columns where they have more figures than rows, to fit a phone."""
    names = list(rows[0]) if rows else []
    shown = [[f"{v:.4g}" if isinstance(v, float) else str(v) for v in row.values()] for row in rows]
    lines = [names, *shown]
    if len(names) > len(lines):
        lines = [list(line) for line in zip(*lines, strict=True)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


__getattr__ = forward(__name__)
