"""Load a network that somebody has fine-tuned, or say in a sentence why it cannot decide here."""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch
import transformers

from helpers.prediction import (
    attention,
    load_tokenizer,
    longest_input,
    pick_device,
    predict_logits,
    quiet_transformers,
    resolve_checkpoint,
)
from helpers.recipes import Checkpoint

CONFIG = "config.json"
LONGEST = 512  # tokens, where nothing else is said: most classifiers were fine-tuned on no more
BASE_WIDTH = 768  # of BERT-base


def find_network(network: str | Path, revision: str | None = None) -> Checkpoint:
    """Take a folder, or a repository of the Hub at a revision, as a checkpoint.

    Parameters
    ----------
    network : path or str
        A folder; with `revision` a repository, as ``owner/name``.
    revision : str, optional
        A commit of the repository, or a branch. A folder has none.

    Returns
    -------
    Checkpoint

    Raises
    ------
    ValueError
        If there is no such folder.
    """
    if revision is not None:
        return Checkpoint(repository=str(network), revision=revision)
    folder = Path(network).expanduser()
    if not folder.is_dir():
        what = "is a file" if folder.is_file() else "is not there"
        raise ValueError(
            f"expected the folder of a network, and {folder} {what}; one on the Hub is named with "
            "--revision, its commit or main"
        )
    return Checkpoint(repository=str(folder.resolve()), revision="", folder=True)


def load_network(
    network: str | Path, *, revision: str | None = None, texts: Sequence[str] = ()
) -> tuple[Any, Any, list[str]]:
    """Load a fine-tuned sequence classifier and its tokenizer; no code of theirs is run.

    Parameters
    ----------
    network, revision
        As for `find_network`.
    texts : sequence of str
        A sample for the tokenizer, see `helpers.prediction.load_tokenizer`.

    Returns
    -------
    model : PreTrainedModel
        In float32 and evaluation mode, on `pick_device`'s device.
    tokenizer : PreTrainedTokenizerBase
    notes : list of str
        What a user should know: other formats of the weights.

    Raises
    ------
    ValueError
        If the folder holds no network, one without a classification head, one that needs code of
        its own, quantized weights, or another network's tokenizer or none.
    """
    folder = resolve_checkpoint(find_network(network, revision))
    stored = _check_config(folder)
    with quiet_transformers():
        try:
            model, report = transformers.AutoModelForSequenceClassification.from_pretrained(
                folder,
                dtype=torch.float32,
                attn_implementation=attention(),
                trust_remote_code=False,
                output_loading_info=True,
            )
        except Exception as error:  # each library has its own words for files that do not fit
            raise ValueError(f"{network} cannot be loaded: {_first_sentence(error)}") from error
    if missing := sorted(report["missing_keys"]):
        raise ValueError(
            f"{network} has no trained classification head (no weights for "
            f"{', '.join(missing[:3])}): it was pretrained but not fine-tuned, which train does"
        )
    notes = []
    if half := sorted(_stored_formats(folder, stored) & {"float16", "bfloat16"}):
        notes.append(
            f"the weights are {' and '.join(half)}: float32 holds each of them exactly, so logits "
            "are computed, and the network is saved, in float32; a pass in 16 bits rounds otherwise"
        )
    tokenizer = _load_own_tokenizer(folder, network, texts)
    known = _vocabulary_size(model)
    if known is not None and len(tokenizer) > known:
        raise ValueError(
            f"the tokenizer in {network} has {len(tokenizer)} tokens and the network knows {known}:"
            " it belongs to another network"
        )
    return model.eval().to(pick_device()), tokenizer, notes


def find_encoder(network: str | Path, revision: str | None = None) -> Checkpoint:
    """Find a pretrained encoder that `helpers.training.fine_tune` can start from.

    Parameters
    ----------
    network, revision
        As for `find_network`.

    Returns
    -------
    Checkpoint

    Raises
    ------
    ValueError
        If it is no network that transformers can give a classification head, needs code of its own,
        is quantized, or has no tokenizer with a padding token.
    """
    checkpoint = find_network(network, revision)
    folder = resolve_checkpoint(checkpoint)
    _check_config(folder)
    try:
        config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:
        raise ValueError(f"{network} cannot be loaded: {_first_sentence(error)}") from error
    if type(config) not in transformers.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        raise ValueError(
            f"transformers has no text classifier for a network of {config.model_type}"
        )
    if _load_own_tokenizer(folder, network, ()).pad_token_id is None:
        raise ValueError(
            f"{network} is no encoder that can be trained here: its tokenizer has no token to pad "
            "with"
        )
    return checkpoint


def is_wide(checkpoint: Checkpoint) -> bool:
    """Tell whether a network is at least as wide as BERT-base, or does not say how wide it is.

    Parameters
    ----------
    checkpoint : Checkpoint
        As `find_encoder` gives it.

    Returns
    -------
    bool
    """
    config = transformers.AutoConfig.from_pretrained(
        resolve_checkpoint(checkpoint), trust_remote_code=False
    )
    width = getattr(config, "hidden_size", None)
    return not isinstance(width, int) or width >= BASE_WIDTH


def _check_config(folder: Path) -> str | None:
    """Refuse what the configuration rules out; give the number format of the weights."""
    if not (folder / CONFIG).is_file():
        if (folder / "adapter_config.json").is_file():
            raise ValueError(
                f"{folder} holds an adapter without its network: merge them first, with "
                "merge_and_unload of peft"
            )
        raise ValueError(f"{folder} is no folder of a transformers network: it has no {CONFIG}")
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{folder / CONFIG} is no JSON: {error}") from None
    if not isinstance(config, dict):
        raise ValueError(f"{folder / CONFIG} must hold a JSON object")
    if config.get("auto_map"):
        raise ValueError(
            f"{folder} needs code of its own (auto_map in {CONFIG} asks for trust_remote_code), "
            "and code from a folder is never run here"
        )
    if config.get("quantization_config"):
        raise ValueError(
            f"the weights in {folder} are quantized: save the network in float32 or float16 first"
        )
    return config.get("dtype") or config.get("torch_dtype")


def _stored_formats(folder: Path, said: str | None) -> set[str]:
    """Read the number formats off the weights; what the configuration says may be out of date."""
    known = {"F16": "float16", "BF16": "bfloat16"}
    formats = set()
    for file in folder.glob("model*.safetensors"):
        with safetensors.safe_open(file, framework="np") as weights:
            formats |= {weights.get_slice(name).get_dtype() for name in weights.keys()}  # noqa: SIM118
    return {known.get(one, one) for one in formats} if formats else {str(said)}


def _load_own_tokenizer(folder: Path, network: str | Path, texts: Sequence[str]) -> Any:
    """Load the tokenizer; one that is not there would be made up, and know no word."""
    try:
        with quiet_transformers():
            tokenizer = load_tokenizer(folder)
    except Exception as error:
        raise ValueError(
            f"{network} has no tokenizer that can be loaded: {_first_sentence(error)}"
        ) from error
    files = {"tokenizer.json", *type(tokenizer).vocab_files_names.values()}
    if type(tokenizer).vocab_files_names and not any((folder / name).is_file() for name in files):
        raise ValueError(
            f"{network} has no tokenizer: expected one of {', '.join(sorted(files))}; save it "
            "beside the network with tokenizer.save_pretrained"
        )
    return load_tokenizer(folder, texts[:200])


def _vocabulary_size(model: Any) -> int | None:
    """Count the tokens that a network has an embedding for; one of characters has no such table."""
    try:
        return getattr(model.get_input_embeddings(), "num_embeddings", None)
    except NotImplementedError:
        return None


def _first_sentence(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if "ignore_mismatched_sizes" in str(error):
        return "its configuration names other sizes than its weights have, as of the head"
    return f"{lines[0] if lines else type(error).__name__}"[:300]


def usual_length(model: Any, tokenizer: Any) -> int:
    """Tell how many tokens of a text to read where nothing is said: all, up to 512.

    Parameters
    ----------
    model : PreTrainedModel
    tokenizer : PreTrainedTokenizerBase

    Returns
    -------
    int
    """
    longest = longest_input(model)
    return min(LONGEST, longest or LONGEST, max(3, int(tokenizer.model_max_length)))


def make_batchable(model: Any, tokenizer: Any, texts: Sequence[str], *, max_length: int) -> None:
    """See that texts read in batches get the logits that each has alone; give padding a token.

    Parameters
    ----------
    model : PreTrainedModel
        A decoder without ``config.pad_token_id`` gets one.
    tokenizer : PreTrainedTokenizerBase
        One without a padding token gets one, and the side on which padding does no harm; inputs
        that the network does not take are left out.
    texts : sequence of str
        A few are tried, of different lengths.
    max_length : int

    Raises
    ------
    ValueError
        If the logits in a batch are others than alone, as with a network that reads its padding, or
        there is no token to pad with.
    """
    takes = inspect.signature(model.forward).parameters
    _set(tokenizer, "model_input_names", [n for n in tokenizer.model_input_names if n in takes])
    by_length = sorted(set(texts), key=len)
    tried = [by_length[i] for i in np.linspace(0, len(by_length) - 1, 8).astype(int)]
    alone = np.concatenate([_plain(model, tokenizer, text, max_length) for text in tried])
    if tokenizer.pad_token_id is None:
        known = model.config.pad_token_id
        token = tokenizer.eos_token if known is None else tokenizer.convert_ids_to_tokens(known)
        if token is None:
            raise ValueError("the tokenizer has no token to pad with: set tokenizer.pad_token")
        tokenizer.pad_token = token
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id
    apart = []
    for side in sorted(("left", "right"), key=tokenizer.padding_side.__ne__):  # its own side first
        _set(tokenizer, "padding_side", side)
        together = predict_logits(
            model, tokenizer, tried, max_length=max_length, batch_tokens=10**6, dtype="fp32"
        )
        if np.allclose(alone, together, rtol=1e-3, atol=1e-3):
            return
        apart.append(np.abs(alone - together).max())
    raise ValueError(
        f"in a batch the logits differ by {min(apart):.2g} or more from those of each text alone, "
        "on whichever side it is padded: the network reads its padding"
    )


def _set(tokenizer: Any, name: str, value: Any) -> None:
    """Change a tokenizer so that `save_pretrained` writes it down; an attribute alone is lost."""
    setattr(tokenizer, name, value)
    tokenizer.init_kwargs[name] = value


def exchange_logits(model: Any, tokenizer: Any, text: str) -> None:
    """Let a yes/no head speak of the other label: its two logits change places, or one its sign.

    Parameters
    ----------
    model : PreTrainedModel
        With one or two logits. Its last layer is changed, the names of its labels are not.
    tokenizer : PreTrainedTokenizerBase
    text : str
        To see that nothing else has changed.

    Raises
    ------
    ValueError
        If the head does not end in a linear layer. The network is as it was then.
    """
    n = model.config.num_labels
    layers = [m for m in model.modules() if isinstance(m, torch.nn.Linear) and m.out_features == n]

    def turn(layer: torch.nn.Linear) -> Any:
        with torch.no_grad():
            for values in layer.parameters():
                values.copy_(values.flip(0) if n == 2 else -values)
        return _plain(model, tokenizer, text, 3)

    before = _plain(model, tokenizer, text, 3)
    wanted = before[:, ::-1] if n == 2 else -before
    for layer in layers:
        if np.allclose(turn(layer), wanted, atol=1e-5):
            return
        turn(layer)
    raise ValueError(
        f"the head of {type(model).__name__} cannot be turned to the other label: leave --positive "
        "out, and exchange the costs"
    )


def _plain(model: Any, tokenizer: Any, text: str, max_length: int) -> Any:
    """Compute the logits of one text as transformers does, without padding."""
    encoded = tokenizer(text, truncation=True, max_length=max_length, return_tensors="pt")
    with torch.inference_mode():
        return model(**encoded.to(model.device)).logits.float().cpu().numpy()
