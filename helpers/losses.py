"""Losses for rare labels, and heads to compare them on. Lesson 03 explains them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def weighted_loss(
    logits: torch.Tensor, labels: torch.Tensor, *, pos_weight: torch.Tensor | float = 1.0
) -> torch.Tensor:
    """Compute binary cross-entropy in which each positive counts `pos_weight` times (lesson 03).

    Parameters
    ----------
    logits : tensor of float, shape (n, n_labels)
    labels : tensor of float, shape (n, n_labels)
        0 and 1.
    pos_weight : float or tensor of shape (n_labels,), default 1
        Above 0.

    Returns
    -------
    tensor of shape ()
        The mean.

    Raises
    ------
    ValueError
        If the labels are no floats of the logits' shape.

    Examples
    --------
    >>> loss = weighted_loss(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]), pos_weight=3.0)
    >>> round(loss.item() / 0.6931, 2)
    2.0
    """
    _check_float_labels(logits, labels)
    weight = torch.as_tensor(pos_weight, dtype=logits.dtype, device=logits.device)
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, labels, pos_weight=weight)


def focal_loss(logits: torch.Tensor, labels: torch.Tensor, *, gamma: float = 2.0) -> torch.Tensor:
    """Compute binary cross-entropy in which a sure and right answer counts little (lesson 03).

    Parameters
    ----------
    logits, labels
        See `weighted_loss`.
    gamma : float, default 2
        Each term is multiplied by (1 - P(truth)) to this power; 0 gives cross-entropy.

    Returns
    -------
    tensor of shape ()
        The mean.

    Raises
    ------
    ValueError
        If the labels are no floats of the logits' shape, or gamma is below 0.

    References
    ----------
    Lin, Goyal, Girshick, He, Dollar (2017), Focal loss for dense object detection, ICCV.

    Examples
    --------
    >>> round(focal_loss(torch.zeros(1, 1), torch.ones(1, 1)).item() / 0.6931, 2)
    0.25
    """
    return asymmetric_loss(logits, labels, gamma_positive=gamma, gamma_negative=gamma, margin=0.0)


def asymmetric_loss(
    logits: torch.Tensor,
    labels: torch.Tensor,
    *,
    gamma_positive: float = 0.0,
    gamma_negative: float = 4.0,
    margin: float = 0.05,
) -> torch.Tensor:
    """Compute a focal loss with a strength of its own for negatives (lesson 03).

    Parameters
    ----------
    logits, labels
        See `weighted_loss`.
    gamma_positive, gamma_negative : float
        Powers as in `focal_loss`.
    margin : float in [0, 1), default 0.05
        Taken off the probability of a negative first: below it a negative costs nothing.

    Returns
    -------
    tensor of shape ()
        The mean.

    Raises
    ------
    ValueError
        If the labels are no floats of the logits' shape, a gamma is below 0, or the margin lies
        outside [0, 1).

    References
    ----------
    Ridnik and others (2021), Asymmetric loss for multi-label classification, ICCV.

    Examples
    --------
    >>> asymmetric_loss(torch.full((1, 1), -4.0), torch.zeros(1, 1)).item() == 0
    True
    """
    _check_float_labels(logits, labels)
    if min(gamma_positive, gamma_negative) < 0 or not 0 <= margin < 1:
        raise ValueError(
            "gamma must be at least 0 and the margin in [0, 1), got "
            f"{gamma_positive}, {gamma_negative} and {margin}"
        )
    p_yes, p_false = torch.sigmoid(logits), torch.sigmoid(logits)
    found = log_yes = torch.nn.functional.logsigmoid(logits)
    spared = log_no = torch.nn.functional.logsigmoid(-logits)
    if margin:
        p_false = (p_yes - margin).clamp(min=0)
        spared = log_no = torch.log1p(-p_false)
    if gamma_positive:
        found = (1 - p_yes) ** gamma_positive * log_yes
    if gamma_negative:
        spared = p_false**gamma_negative * log_no
    return -(labels * found + (1 - labels) * spared).mean()


def _check_float_labels(logits: torch.Tensor, labels: torch.Tensor) -> None:
    if labels.shape != logits.shape or not labels.is_floating_point():
        raise ValueError(
            f"labels must be floats of the logits' shape {tuple(logits.shape)}, got "
            f"{labels.dtype} of shape {tuple(labels.shape)}"
        )


def fit_head(
    features: NDArray,
    labels: NDArray,
    *,
    loss: Loss | None = None,
    epochs: int = 20,
    batch_size: int = 64,
    learning_rate: float = 3e-3,
    weight_decay: float = 0.01,
    seed: int = 0,
    on_epoch: Callable[[int, Callable[[NDArray], NDArray]], None] | None = None,
) -> Callable[[NDArray], NDArray[np.float32]]:
    """Train a head alone, a linear layer for many labels on outputs computed once (lesson 03).

    Parameters
    ----------
    features : ndarray of float, shape (n, n_features)
        As `pooled_outputs` gives them.
    labels : ndarray of float, shape (n, n_labels)
        0 and 1.
    loss : callable, optional
        As for `fine_tune`; by default binary cross-entropy.
    epochs, batch_size : int
    learning_rate, weight_decay : float
        Of AdamW; the rate does not change.
    seed : int
        Of the order of the rows; the layer starts at 0.
    on_epoch : callable, optional
        Called after each epoch with its number, from 1, and the head so far.

    Returns
    -------
    callable
        Takes features of shape (m, n_features), gives logits, float32 of shape (m, n_labels).

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> x, y = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> fit_head(x, y, epochs=200, weight_decay=0.0)(x) > 0
    array([[ True, False],
           [False,  True]])
    """
    x = torch.as_tensor(np.asarray(features), dtype=torch.float32)
    y = torch.as_tensor(np.asarray(labels), dtype=torch.float32)
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or not len(x):
        raise ValueError(
            "features and labels must have shapes (n, n_features) and (n, n_labels), got "
            f"{tuple(x.shape)} and {tuple(y.shape)}"
        )
    head = torch.nn.Linear(x.shape[1], y.shape[1])
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.zeros_(head.bias)
    chosen_loss = loss or torch.nn.functional.binary_cross_entropy_with_logits
    optimizer = torch.optim.AdamW(head.parameters(), lr=learning_rate, weight_decay=weight_decay)

    def predict(rows: NDArray) -> NDArray[np.float32]:
        with torch.no_grad():
            return head(torch.as_tensor(np.asarray(rows), dtype=torch.float32)).numpy()

    order = torch.Generator().manual_seed(seed)
    for epoch in range(1, epochs + 1):
        for rows in torch.randperm(len(x), generator=order).split(batch_size):
            optimizer.zero_grad()
            chosen_loss(head(x[rows]), y[rows]).backward()
            optimizer.step()
        if on_epoch:
            on_epoch(epoch, predict)
    return predict
