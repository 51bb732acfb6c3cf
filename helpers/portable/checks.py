"""What input can be: each function returns it as an array, or says what was expected and what came.

Logits, labels and single numbers; all rules and measures take their input through these.
"""

from __future__ import annotations

import numbers
import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def is_real(value: object) -> bool:
    """Tell whether a value is one finite real number; True and False are not.

    Parameters
    ----------
    value : object

    Returns
    -------
    bool

    Examples
    --------
    >>> is_real(np.float32(0.5)), is_real(float("nan")), is_real(True), is_real("1")
    (True, False, False, False)
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        return False
    try:
        return bool(np.isfinite(float(value)))
    except OverflowError:
        return False


def check_temperature(value: float) -> float:
    """Return a temperature as a float, or say that it must be above 0."""
    if not is_real(value) or value <= 0:
        raise ValueError(f"temperature must be a finite number above 0, got {value!r}")
    return float(value)


def check_open_unit(name: str, value: float) -> None:
    """Refuse what is no number strictly between 0 and 1."""
    if not is_real(value) or not 0 < value < 1:
        raise ValueError(f"{name} must lie strictly between 0 and 1, got {value!r}")


def check_floor(name: str, value: float) -> None:
    """Refuse what is no number in (0, 1]."""
    if not is_real(value) or not 0 < value <= 1:
        raise ValueError(f"{name} must lie in (0, 1], got {value!r}")


# Logits


def check_logits(logits: ArrayLike) -> Floats:
    """Return logits as float64, or say why they cannot be logits.

    Parameters
    ----------
    logits : array_like of float, shape (n,) or (n, n_classes)
        Raw outputs of a network's last layer, any finite size.

    Returns
    -------
    ndarray of float64, same shape

    Raises
    ------
    ValueError
        If the array is not one- or two-dimensional, holds NaN or infinities, or is made of rows
        that are probabilities already: two or more rows and columns, all values in [0, 1], every
        row summing to 1 within 1e-6.

    Warns
    -----
    UserWarning
        If 20 or more values all lie in [0, 1]: possible for logits, likelier for probabilities.

    Examples
    --------
    >>> check_logits([[2, -1], [0, 3]]).dtype
    dtype('float64')
    """
    try:
        array = np.asarray(logits)
    except (RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"logits must be an array of numbers: {error}") from None
    if array.dtype.kind not in "biuf" and array.size:
        raise ValueError(f"logits must be an array of real numbers, got {array.dtype}")
    array = array.astype(np.float64)
    if array.ndim not in (1, 2) or (array.ndim == 2 and array.shape[1] == 0):
        raise ValueError(f"logits must have shape (n,) or (n, n_classes), got {array.shape}")
    low, high = (array.min(), array.max()) if array.size else (0.0, 0.0)
    if not (np.isfinite(low) and np.isfinite(high)):
        bad = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))
        raise ValueError(
            f"logits must be finite, got NaN or infinity in {len(bad)} of {len(array)} rows, "
            f"first in row {bad[0]}"
        )
    if low >= 0 and high <= 1:
        rows_sum_to_one = array.ndim == 2 and array.shape[1] > 1 and len(array) > 1
        if rows_sum_to_one and np.all(np.abs(array.sum(axis=1) - 1) <= 1e-6):
            raise ValueError(
                "expected logits, got rows of probabilities (all in [0, 1], each row sums to 1): "
                "pass the network's outputs as they are, before softmax"
            )
        if array.size >= 20:
            warnings.warn(
                "all logits lie in [0, 1]: are these probabilities? Pass logits, before sigmoid "
                "or softmax",
                stacklevel=3,
            )
    return array


def check_class_logits(logits: ArrayLike) -> Floats:
    """Return logits of a head with a column a class as float64, or say what is wrong.

    Parameters
    ----------
    logits : array_like of float, shape (n, n_classes), n_classes at least 2

    Returns
    -------
    ndarray of float64, same shape

    Raises
    ------
    ValueError
        If there are fewer than two columns, or `check_logits` refuses the array.

    Examples
    --------
    >>> check_class_logits([[1, 2, 3]]).shape
    (1, 3)
    """
    z = check_logits(logits)
    if z.ndim != 2 or z.shape[1] < 2:
        raise ValueError(
            "expected a row of logits a text and a column a class, shape (n, n_classes) with at "
            f"least 2 classes, got {z.shape}"
        )
    return z


def check_label_logits(logits: ArrayLike) -> NDArray[np.floating]:
    """Return logits of many labels, or say why they cannot be logits.

    Parameters
    ----------
    logits : array_like of float, shape (n, n_labels)

    Returns
    -------
    ndarray, same shape
        Not copied where it need not be.

    Raises
    ------
    ValueError
        If the array does not have two dimensions, or `helpers.probabilities.check_logits` refuses
        it.
    """
    array = np.asarray(logits)
    usual = array.ndim == 2 and array.dtype.kind in "iuf" and array.size > 0
    if usual:
        low, high = array.min(), array.max()  # NaN if there is one
        usual = -np.inf < low and high < np.inf and not (low >= 0 and high <= 1)
    if not usual:
        array = check_logits(array)  # says what is wrong, or what looks wrong
    if array.ndim != 2:
        raise ValueError(f"many labels need logits of shape (n, n_labels), got {array.shape}")
    return array


# Labels


def check_binary_labels(labels: ArrayLike, n_samples: int) -> NDArray[np.bool_]:
    """Return 0/1 labels as booleans, or say what is wrong with them.

    Parameters
    ----------
    labels : array_like of int or bool, shape (n_samples,)
        True labels, 0 or 1.
    n_samples : int
        The number of rows that the labels must match.

    Returns
    -------
    ndarray of bool, shape (n_samples,)

    Raises
    ------
    ValueError
        If the shape differs from ``(n_samples,)`` or a value is neither 0 nor 1.
    """
    array = np.asarray(labels)
    if array.dtype == object and array.size:
        array = np.array(array.tolist())
    if array.shape != (n_samples,):
        raise ValueError(
            f"labels must have shape ({n_samples},), one for each row, got {array.shape}"
        )
    if array.dtype == np.bool_:
        return array
    if array.dtype.kind not in "iuf":
        raise ValueError(f"labels must be 0 or 1, got values of type {array.dtype}")
    outside = array[(array != 0) & (array != 1)]
    if len(outside):
        raise ValueError(f"labels must be 0 or 1, got {outside[0]}")
    return array.astype(bool)


def check_label_matrix(labels: ArrayLike, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return 0/1 labels of many labels as booleans, or say what is wrong with them.

    Parameters
    ----------
    labels : array_like of int, float or bool, shape (n, n_labels)
    shape : tuple of int
        That of the logits.

    Returns
    -------
    ndarray of bool, same shape

    Raises
    ------
    ValueError
        If the shape differs or a value is neither 0 nor 1.

    Examples
    --------
    >>> check_label_matrix([[1, 0]], (1, 2))
    array([[ True, False]])
    """
    array = np.asarray(labels)
    if array.shape != tuple(shape):
        raise ValueError(
            f"labels must have the shape {tuple(shape)} of the logits, 0 or 1 for "
            f"each label, got {array.shape}"
        )
    return check_binary_labels(array.ravel(), array.size).reshape(array.shape)


def check_labels_or_other(labels: ArrayLike, n_samples: int, n_classes: int) -> NDArray[np.int64]:
    """Return class indices, with `n_classes` for Other, or say what is wrong with them.

    Parameters
    ----------
    labels : array_like of int, shape (n_samples,)
    n_samples, n_classes : int

    Returns
    -------
    ndarray of int64, shape (n_samples,)

    Raises
    ------
    ValueError
        If the shape differs or a value is no whole number in ``range(n_classes + 1)``.

    Examples
    --------
    >>> check_labels_or_other([0, 2, 1], 3, 2)
    array([0, 2, 1])
    """
    array = np.asarray(labels)
    if array.shape != (n_samples,) or (array.dtype.kind not in "iu" and array.size):
        raise ValueError(
            f"labels must be whole numbers of shape ({n_samples},), one for each row, "
            f"got {array.dtype} of shape {array.shape}"
        )
    outside = array[(array < 0) | (array > n_classes)]
    if len(outside):
        raise ValueError(
            f"labels must be class indices from 0 to {n_classes - 1}, or {n_classes} for Other, "
            f"got {outside[0]}"
        )
    return array.astype(np.int64)
