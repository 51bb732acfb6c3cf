"""What logits and labels can be: each function returns them as an array, or says what came.

All rules and measures take their input through these, so whatever holds the numbers (lists, data
frames, tensors, arrays of any memory order or dtype) is used alike, or refused in one sentence.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .checks import shown

Floats = NDArray[np.float64]


def _from_tensor(values: Any) -> Any:
    """Bring a tensor to a dtype and a device that numpy reads; leave everything else."""
    if not (hasattr(values, "detach") and hasattr(values, "cpu")):
        return values
    values = values.detach().cpu()
    try:
        return np.asarray(values)
    except (TypeError, RuntimeError):  # bfloat16, which numpy does not have; sparse
        return np.asarray(values.float())


def as_array(
    name: str, values: ArrayLike, wanted: str = "an array of real numbers"
) -> NDArray[Any]:
    """Return real numbers as a plain numpy array, or say why they are none.

    Whatever holds the numbers (lists, arrays of any memory order and byte order, data frames,
    tensors on any device), the array that comes back holds the same ones, in this machine's byte
    order. It is no copy where it need not be.

    Parameters
    ----------
    name : str
        What the message calls them.
    values : array_like of int, float or bool, any shape
    wanted : str
        What the message says that they must be.

    Returns
    -------
    ndarray, same shape

    Raises
    ------
    ValueError
        If they are no real numbers, rows differ in length, or values are masked or missing.

    Examples
    --------
    >>> as_array("logits", [1, 2.5])
    array([1. , 2.5])
    """
    array: NDArray[Any] | None = None
    try:
        if isinstance(values, list | tuple) and len(values) and hasattr(values[0], "detach"):
            values = [_from_tensor(one) for one in values]
        array = np.asarray(_from_tensor(values))
        if array.dtype == object and array.ndim:
            array = np.array(array.tolist())
    except (ArithmeticError, RecursionError, RuntimeError, TypeError, ValueError):
        pass
    if array is None:
        raise ValueError(f"{name} must be {wanted}, as many in each row, got {shown(values)}")
    if np.ma.is_masked(values):
        raise ValueError(f"{name} must be {wanted}, got masked (missing) values")
    if array.size == 0 and array.dtype.kind not in "biuf":
        array = np.zeros(array.shape)
    if array.dtype.kind not in "biuf":
        kind = f" of {array.dtype}" if array.dtype != object else ""
        raise ValueError(f"{name} must be {wanted}, got {shown(values)}{kind}")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def as_floats(name: str, values: ArrayLike) -> Floats:
    """Return real numbers as float64 in the usual memory order; see `as_array`.

    Numbers beyond the range of float64 become infinite.

    Examples
    --------
    >>> as_floats("probabilities", np.float32([[0.5, 1]]))
    array([[0.5, 1. ]])
    """
    array = as_array(name, values)
    with np.errstate(over="ignore"):
        return np.asarray(array, dtype=np.float64, order="C")


def check_finite(name: str, values: ArrayLike) -> Floats:
    """Return finite numbers of shape (n,), n at least 1, or say what came.

    Examples
    --------
    >>> check_finite("confidence", [0.5, 0.9])
    array([0.5, 0.9])
    """
    array = as_floats(name, values)
    if array.ndim != 1 or len(array) == 0 or not np.isfinite(array).all():
        raise ValueError(
            f"{name} must be finite numbers of shape (n,), n at least 1, got shape {array.shape}"
            + (" with NaN or infinity" if array.size and array.ndim == 1 else "")
        )
    return array


def check_bias(name: str, values: ArrayLike, n: int) -> tuple[float, ...]:
    """Return `n` finite numbers as a tuple, or say what came; of one, the number may stand alone.

    Examples
    --------
    >>> check_bias("bias", 0.5, 1)
    (0.5,)
    """
    array = np.atleast_1d(as_floats(name, values))
    if array.shape != (n,) or not np.isfinite(array).all():
        raise ValueError(f"{name} must be {n} finite numbers, got {shown(values)}")
    return tuple(array.tolist())


# Logits


def check_logits(logits: ArrayLike, name: str = "logits") -> Floats:
    """Return logits as float64, or say why they cannot be logits.

    Parameters
    ----------
    logits : array_like of float, shape (n,) or (n, n_classes)
        Raw outputs of a network's last layer, any finite size.
    name : str, default "logits"
        What the message calls them.

    Returns
    -------
    ndarray of float64, same shape
        A copy.

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
    array = as_array(name, logits)
    with np.errstate(over="ignore"):
        array = array.astype(np.float64, order="C")
    if array.ndim not in (1, 2) or (array.ndim == 2 and array.shape[1] == 0):
        raise ValueError(f"{name} must have shape (n,) or (n, n_classes), got {array.shape}")
    low, high = (array.min(), array.max()) if array.size else (0.0, 0.0)
    if not (np.isfinite(low) and np.isfinite(high)):
        bad = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))
        raise ValueError(
            f"{name} must be finite, got NaN or infinity in {len(bad)} of {len(array)} rows, "
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


def check_class_logits(logits: ArrayLike, name: str = "logits") -> Floats:
    """Return logits of a head with a column a class as float64, or say what is wrong.

    Parameters
    ----------
    logits : array_like of float, shape (n, n_classes), n_classes at least 2
    name : str, default "logits"
        What the message calls them.

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
    z = check_logits(logits, name)
    if z.ndim != 2 or z.shape[1] < 2:
        raise ValueError(
            "expected a row of logits a text and a column a class, shape (n, n_classes) with at "
            f"least 2 classes, got {z.shape}"
        )
    return z


def check_one_a_label(z: NDArray, n_labels: int) -> None:
    """Refuse logits of a network with another number of labels than the rule has.

    Parameters
    ----------
    z : ndarray, shape (n, n_classes)
    n_labels : int

    Raises
    ------
    ValueError
        If n_classes is another number.

    Examples
    --------
    >>> check_one_a_label(np.zeros((1, 3)), 3)
    """
    if z.shape[1] != n_labels:
        raise ValueError(f"expected {n_labels} logits a row, one a label, got {z.shape[1]}")


def check_label_logits(logits: ArrayLike) -> NDArray[np.floating]:
    """Return logits of many labels, or say why they cannot be logits.

    Parameters
    ----------
    logits : array_like of float, shape (n, n_labels)

    Returns
    -------
    ndarray of float32 or float64, same shape
        Not copied where it need not be.

    Raises
    ------
    ValueError
        If the array does not have two dimensions, or `check_logits` refuses it.

    Examples
    --------
    >>> check_label_logits(np.float32([[2, -1]])).dtype
    dtype('float32')
    """
    array = as_array("logits", logits)
    usual = array.ndim == 2 and array.dtype in (np.float32, np.float64) and array.size > 0
    if usual:
        low, high = array.min(), array.max()  # NaN if there is one
        usual = -np.inf < low and high < np.inf and not (low >= 0 and high <= 1)
    if not usual:
        array = check_logits(array)  # says what is wrong, or what looks wrong
    if array.ndim != 2:
        raise ValueError(f"many labels need logits of shape (n, n_labels), got {array.shape}")
    return array


def divided(logits: NDArray[np.floating], temperature: float) -> Floats:
    """Divide logits by the temperature, in float64: the scale of all cuts.

    Parameters
    ----------
    logits : ndarray of float
    temperature : float above 0

    Returns
    -------
    ndarray of float64, same shape
        Not copied where it need not be.

    Raises
    ------
    ValueError
        If a quotient is beyond the range of float64.

    Examples
    --------
    >>> divided(np.array([3.0, -1.0]), 2.0)
    array([ 1.5, -0.5])
    """
    if temperature == 1:
        return np.asarray(logits, dtype=np.float64)
    with np.errstate(over="ignore"):
        scaled = np.asarray(logits, dtype=np.float64) / temperature
    if temperature < 1 and not np.isfinite(scaled).all():
        raise ValueError("logits divided by the temperature must be finite, got infinity")
    return scaled


# Labels


def _zero_or_one(name: str, array: NDArray[Any]) -> NDArray[np.bool_]:
    if array.dtype == np.bool_:
        return array
    if array.size == 0 or (array.dtype.kind in "iu" and array.min() >= 0 and array.max() <= 1):
        return array.astype(bool)
    outside = array[(array != 0) & (array != 1)]
    if outside.size:
        raise ValueError(f"{name} must be 0 or 1, got {outside.ravel()[0]}")
    return array.astype(bool)


def check_binary_labels(
    labels: ArrayLike, n_samples: int | None = None, name: str = "labels"
) -> NDArray[np.bool_]:
    """Return 0/1 labels as booleans, or say what is wrong with them.

    Parameters
    ----------
    labels : array_like of int or bool, shape (n_samples,)
        True labels, 0 or 1.
    n_samples : int, optional
        The number of rows that the labels must match.
    name : str, default "labels"
        What the message calls them.

    Returns
    -------
    ndarray of bool, shape (n_samples,)

    Raises
    ------
    ValueError
        If the shape differs from ``(n_samples,)`` or a value is neither 0 nor 1.

    Examples
    --------
    >>> check_binary_labels([0, 1.0], 2)
    array([False,  True])
    """
    array = as_array(name, labels, "0 or 1")
    if array.ndim != 1 or n_samples not in (None, len(array)):
        n = "n" if n_samples is None else n_samples
        raise ValueError(f"{name} must have shape ({n},), one for each row, got {array.shape}")
    return _zero_or_one(name, array)


def check_label_matrix(
    labels: ArrayLike, shape: tuple[int, ...] | None = None, name: str = "labels"
) -> NDArray[np.bool_]:
    """Return 0/1 labels of many labels as booleans, or say what is wrong with them.

    Parameters
    ----------
    labels : array_like of int, float or bool, shape (n, n_labels)
    shape : tuple of int, optional
        That of the logits.
    name : str, default "labels"
        What the message calls them.

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
    array = as_array(name, labels, "0 or 1")
    if shape is None and array.ndim != 2:
        raise ValueError(f"{name} must have shape (n, n_labels), got {array.shape}")
    if shape is not None and array.shape != tuple(shape):
        raise ValueError(
            f"{name} must have the shape {tuple(shape)} of the logits, 0 or 1 for "
            f"each label, got {array.shape}"
        )
    return _zero_or_one(name, array)


def check_labels_or_other(
    labels: ArrayLike,
    n_samples: int | None,
    n_classes: int,
    *,
    other: bool = True,
    name: str = "labels",
) -> NDArray[np.int64]:
    """Return class indices, with `n_classes` for Other, or say what is wrong with them.

    Parameters
    ----------
    labels : array_like of int, shape (n_samples,)
    n_samples : int or None
        The number of rows that the labels must match, if it is known.
    n_classes : int
    other : bool, default True
        Whether `n_classes` may stand for Other.
    name : str, default "labels"
        What the message calls them.

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
    array = as_array(name, labels, "whole numbers")
    if array.ndim != 1 or n_samples not in (None, len(array)):
        n = "n" if n_samples is None else n_samples
        raise ValueError(f"{name} must have shape ({n},), one for each row, got {array.shape}")
    outside = array[~((array >= 0) & (array <= n_classes - (not other)))]
    if len(outside):
        raise ValueError(
            f"{name} must be class indices from 0 to {n_classes - 1}"
            f"{f', or {n_classes} for Other' if other else ''}, got {outside[0]}"
        )
    index = array.astype(np.int64)
    if array.dtype.kind == "f" and not np.array_equal(index, array):
        raise ValueError(f"{name} must be whole numbers, got {array[index != array][0]}")
    return index


def check_weight(sample_weight: ArrayLike, scores: NDArray[np.floating]) -> Floats:
    """Return weights of rows in a unit in which no sum of them overflows, or say what is wrong.

    Examples
    --------
    >>> check_weight([1e308, 1e308], np.zeros(2)).round(3)
    array([0.556, 0.556])
    """
    weight = as_floats("sample_weight", sample_weight)
    if weight.shape != scores.shape:
        raise ValueError(f"sample_weight must have shape {scores.shape}, got {weight.shape}")
    if not np.all(np.isfinite(weight) & (weight >= 0)):
        raise ValueError("sample_weight must be finite and at least 0")
    return np.ldexp(weight, -np.frexp(weight.max(initial=0.0))[1])


def check_both(n_positive: int, n: int) -> None:
    """Refuse rows of one class alone.

    Examples
    --------
    >>> check_both(1, 2)
    """
    if n_positive in (0, n):
        what = f"got {n_positive} positives among {n}"
        raise ValueError(f"choosing needs at least one message of each class, {what}")
