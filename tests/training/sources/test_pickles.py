"""Strangers' pickles: arrays come through, everything else is refused and nothing is run."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from d2m_core.errors import SettingError
from training.sources.pickles import load_arrays

from .samples import pickled_by_numpy_1, write_pickle

HELD = {
    "c": np.arange(12, dtype=np.float32).reshape(3, 4),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big": np.arange(3, dtype=">i2"),
    "empty": np.zeros((0, 17, 3)),
    "flags": np.array([True, False]),
    "text": np.array(["a", "bc"]),
    "one": np.float64(2.5),
    "plain": [1, 2.5, "x", b"y\xff", None, (True, {3, 4}), 1j, bytearray(b"z")],
}


def same(found: Any, held: Any) -> bool:
    if isinstance(held, np.ndarray | np.generic):
        assert found.dtype == held.dtype
        return np.array_equal(found, held)
    if isinstance(held, dict):
        return list(found) == list(held) and all(same(found[key], held[key]) for key in held)
    return found == held


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("numpy_1", [False, True])
def test_arrays_of_every_protocol_come_as_they_are(tmp_path: Path, protocol: int, numpy_1: bool) -> None:
    path = tmp_path / "held.pkl"
    data = pickled_by_numpy_1(HELD, protocol) if numpy_1 else pickle.dumps(HELD, protocol)
    assert (b"numpy._core" not in data) == numpy_1
    path.write_bytes(data)
    found = load_arrays(path)
    assert same(found, HELD)
    found["c"][0, 0] = 7  # one's own, to be written to


class Runs:
    def __init__(self, call: Any, *arguments: Any) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> Any:
        return self.call, self.arguments


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_is_run(tmp_path: Path, protocol: int) -> None:
    marker = tmp_path / "marker"
    held = {"keypoints3d": np.zeros(3), "x": Runs(os.system, f"touch {marker}")}
    path = write_pickle(tmp_path / "bad.pkl", held, protocol)
    with pytest.raises(SettingError, match=r"bad\.pkl .*posix\.system"):
        load_arrays(path)
    assert not marker.exists()
    pickle.loads(path.read_bytes())  # the trap is a real one
    assert marker.exists()


@pytest.mark.parametrize(
    ("held", "named"),
    [
        (Runs(eval, "1"), "builtins.eval"),
        (Runs(getattr, "x", "upper"), "builtins.getattr"),
        (Runs(np.load, "x.npy"), "numpy"),
        (np.array([{}, []], object), "'O8'"),
        (np.zeros(2, [("a", "f4")]), "'V4'"),
        (Path("x"), "pathlib"),
    ],
)
def test_what_no_array_needs_is_refused_by_name(tmp_path: Path, held: Any, named: str) -> None:
    with pytest.raises(SettingError, match=named):
        load_arrays(write_pickle(tmp_path / "bad.pkl", held))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a pickle",
        pickle.dumps(HELD)[:-200],
        b"cnumpy\ndtype\n(S'f4'\ntR.",  # a whole dtype is fine, see below
        b"cnumpy\nndarray\n.",
        b"cnumpy\nndarray\n(tR.",
        b"cnumpy._core.multiarray\n_reconstruct\n(tR.",
        b"cnumpy\ndtype\n(S'f4'\ntR(dS'x'\nI1\nsb.",
    ],
)
def test_broken_pickles_are_an_error_of_one_sentence(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "broken.pkl"
    path.write_bytes(data)
    if data == b"cnumpy\ndtype\n(S'f4'\ntR.":
        assert load_arrays(path) == np.dtype("f4")
        return
    with pytest.raises(SettingError, match=r"broken\.pkl"):
        load_arrays(path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot be read"):
        load_arrays(tmp_path / "none.pkl")
