"""Strangers' pickles, read without running anything of theirs.

A pickle may call whatever it names. Here it may name numpy's arrays and nothing else, and what it
gets is not even those: `load_arrays` notes what each array was to be made of and makes it itself,
of plain numbers only. Dictionaries, lists, tuples, sets, texts and numbers come as they are.
"""

from __future__ import annotations

import io
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np

from d2m_core.errors import SettingError

_PLAIN = re.compile(r"[biufcSU]\d+")
_BROKEN = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    KeyError,
    OverflowError,
    ImportError,
    MemoryError,
    RecursionError,
    UnicodeError,
)


class _Refused(Exception):
    """Something is named that no array needs."""


class _ArrayType:
    """Stands for `numpy.ndarray`, which pickles hand around but need not call."""

    __slots__ = ()


class _Dtype:
    """An array's type of numbers, noted."""

    __slots__ = ("code", "order")

    def __init__(self, code: str, *_: object) -> None:
        self.code, self.order = code, "|"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = state[1]

    def value(self) -> np.dtype[Any]:
        if not (isinstance(self.code, str) and _PLAIN.fullmatch(self.code)):
            raise _Refused(f"an array of {str(self.code)!r}")
        if self.order not in ("<", ">", "|", "="):
            raise ValueError(f"byte order {self.order!r}")
        return np.dtype(f"{self.order}{self.code}")


class _Array:
    """An array, noted: its bytes, type and shape."""

    __slots__ = ("data", "dtype", "fortran", "shape")

    def __init__(self) -> None:
        self.data: Any = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.shape, self.dtype, self.fortran, self.data = state[-4:]

    def value(self) -> np.ndarray:
        dtype = self.dtype.value()
        data = self.data.encode("latin1") if isinstance(self.data, str) else self.data
        if not isinstance(data, bytes | bytearray):
            raise ValueError(f"an array's bytes are {type(data).__name__}")
        flat = np.frombuffer(data, dtype)
        return flat.reshape(self.shape, order="F" if self.fortran else "C").copy(order="K")


class _Reconstruct:
    __slots__ = ()

    def __call__(self, *_: object) -> _Array:
        return _Array()


class _FromBuffer:
    __slots__ = ()

    def __call__(self, data: Any, dtype: Any, shape: Any, order: Any = "C") -> _Array:
        made = _Array()
        made.__setstate__((shape, dtype, order == "F", bytes(_bytes(data))))
        return made


class _Scalar:
    __slots__ = ()

    def __call__(self, dtype: Any, data: Any) -> _Array:
        made = _Array()
        made.__setstate__(((), dtype, False, data))
        return made


class _MakeDtype:
    __slots__ = ()

    def __call__(self, code: Any, *_: object) -> _Dtype:
        return _Dtype(code)


class _Encode:
    """Bytes in the oldest protocols are texts in Latin-1."""

    __slots__ = ()

    def __call__(self, text: str, encoding: str = "latin1") -> bytes:
        if encoding not in ("latin1", "latin-1"):
            raise _Refused(f"the encoding {encoding!r}")
        return text.encode("latin1")


class _MakeBytes:
    __slots__ = ()

    def __call__(self, data: Any = b"", *_: object) -> bytes:
        return bytes(_bytes(data))


def _bytes(data: Any) -> bytes | bytearray:
    if not isinstance(data, bytes | bytearray):
        raise ValueError(f"bytes are made of {type(data).__name__}")
    return data


_ADMITTED: dict[tuple[str, str], type] = {
    **{
        (f"numpy.{core}.{module}", name): made
        for core in ("core", "_core")
        for module, name, made in (
            ("multiarray", "_reconstruct", _Reconstruct),
            ("multiarray", "scalar", _Scalar),
            ("numeric", "_frombuffer", _FromBuffer),
        )
    },
    ("numpy", "ndarray"): _ArrayType,
    ("numpy", "dtype"): _MakeDtype,
    ("_codecs", "encode"): _Encode,
    **{
        (module, name): _MakeBytes
        for module in ("builtins", "__builtin__")
        for name in ("bytes", "bytearray")
    },
}
"""What a pickle may name, and what stands there for it."""

_CONTAINERS = {"set": set, "frozenset": frozenset, "complex": complex}


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module in ("builtins", "__builtin__") and name in _CONTAINERS:
            return _CONTAINERS[name]
        admitted = _ADMITTED.get((module, name))
        if admitted is None:
            raise _Refused(f"{module}.{name}")
        return admitted()


def load_arrays(path: Path) -> Any:
    """What a pickle of any protocol (0 to 5, numpy 1 or 2) holds: arrays in plain containers.

    Raises `SettingError` where it cannot be read, is broken, or names anything but numpy arrays;
    nothing that it names is ever imported or called.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingError(f"{path} cannot be read ({error.strerror or error}); check the path.") from error
    try:
        return _made(_ArraysOnly(io.BytesIO(data), encoding="latin1").load())
    except _Refused as refused:
        raise SettingError(
            f"{path.name} is no plain data: its pickle asks for {refused}, where only numpy arrays "
            "of numbers are read; get it from a source you trust."
        ) from None
    except _BROKEN as error:
        raise SettingError(
            f"{path.name} is not a whole pickle of arrays ({type(error).__name__}: {error}); copy it again."
        ) from error


def _made(found: Any) -> Any:
    """`found` with every noted array made."""
    if isinstance(found, _Array):
        value = found.value()
        return value[()] if value.shape == () else value
    if isinstance(found, _Dtype):
        return found.value()
    if isinstance(found, dict):
        return {key: _made(value) for key, value in found.items()}
    if isinstance(found, list | tuple | set | frozenset):
        return type(found)(_made(value) for value in found)
    if isinstance(found, bytearray):
        return bytes(found)
    if found is None or isinstance(found, bool | int | float | complex | str | bytes):
        return found
    raise ValueError(f"a bare {type(found).__name__.strip('_')}")
