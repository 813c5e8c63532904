"""Small samples of the data sets' formats, made to the letter: names, folders, shapes, pickles."""

from __future__ import annotations

import io
import pickle
import warnings
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

CM = {
    0: (0, 165), 1: (3, 168), 2: (-3, 168), 3: (7, 166), 4: (-7, 166), 5: (18, 145), 6: (-18, 145),
    7: (30, 120), 8: (-30, 120), 9: (35, 95), 10: (-35, 95), 11: (10, 95), 12: (-10, 95),
    13: (11, 50), 14: (-11, 50), 15: (12, 8), 16: (-12, 8),
}  # fmt: skip
"""COCO-17 joints of someone who stands, facing us: x to our right, y up, in centimetres."""


def coco_room(frames: int) -> np.ndarray:
    """[F, 17, 3] in centimetres, y up: the left wrist (9) waves twice a second at 60 fps."""
    joints = np.zeros((frames, 17, 3))
    for joint, place in CM.items():
        joints[:, joint, :2] = place
    joints[:, 9, 1] += 20 * np.sin(np.arange(frames) / 30 * 2 * np.pi)
    return joints


def coco_pixels(frames: int) -> np.ndarray:
    """[F, 17, 3]: x, y in pixels of a picture of 1080 lines, 4 pixels to the centimetre; score."""
    room = coco_room(frames)
    picture = np.empty_like(room)
    picture[..., 0], picture[..., 1] = 960 + 4 * room[..., 0], 900 - 4 * room[..., 1]
    picture[..., 2] = 0.9
    return picture


def body25_pixels(frames: int) -> np.ndarray:
    """[F, 25, 3] of OpenPose's BODY_25, the toes and heels of which nobody saw."""
    order = (0, None, 6, 8, 10, 5, 7, 9, None, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
    coco, joints = coco_pixels(frames), np.zeros((frames, 25, 3))
    for joint, source in enumerate(order):
        if source is not None:
            joints[:, joint] = coco[:, source]
    joints[:, 1], joints[:, 8] = coco[:, 5:7].mean(1), coco[:, 11:13].mean(1)
    return joints


def smpl_rows(frames: int, *, place_last: bool = False) -> np.ndarray:
    """[F, 219]: arms out, but the left elbow (joint 18) bends forward by a right angle."""
    turns = np.tile(np.eye(3), (frames, 24, 1, 1))
    turns[:, 18] = [[0, 0, 1], [0, 1, 0], [-1, 0, 0]]  # x, along the forearm, becomes -z
    turns[:, 18] = turns[:, 18].swapaxes(1, 2)  # and so z, which is forward
    place = np.tile([0.5, 0.95, 0.0], (frames, 1))
    parts = [place, turns.reshape(frames, -1)]
    return np.concatenate(parts[::-1] if place_last else parts, axis=1)


def write_tone(path: Path, seconds: float, hertz: float = 440.0, rate: int = 22_050) -> Path:
    """A WAV file of one sine, 16 bit, mono."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sine = np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((16_000 * sine).astype("<i2").tobytes())
    return path


def write_pickle(path: Path, held: Any, protocol: int = 4) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(held, protocol))
    return path


def pickled_by_numpy_1(held: Any, protocol: int) -> bytes:
    """A pickle in which numpy's modules are called as before version 2."""
    here, buffer = pickle.whichmodule, io.BytesIO()  # type: ignore[attr-defined]

    def old(found: Any, name: str) -> str:
        return here(found, name).replace("numpy._core", "numpy.core")

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(pickle, "whichmodule", old)
        pickle._Pickler(buffer, protocol).dump(held)  # type: ignore[attr-defined]
    return buffer.getvalue()


def write_npy(path: Path, array: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)
    return path


def write_lines(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


BM, OTHER = "gBR_sBM_cAll_d04_mBR0_ch01", "gHO_sFM_cAll_d20_mHO5_ch08"


def aist_annotations(root: Path, *names: str, frames: int = 120) -> Path:
    """AIST++ as it is unpacked: both kinds of keypoints, splits, the list of what to ignore."""
    for name in names:
        room = coco_room(frames)
        write_pickle(root / "keypoints3d" / f"{name}.pkl", {"keypoints3d": room, "keypoints3d_optim": room})
        views = np.stack([coco_pixels(frames).astype(np.float32) for _ in range(9)])
        views[0] = np.nan
        held = {
            "keypoints2d": views,
            "det_scores": np.ones((9, frames), np.float32),
            "timestamps": np.arange(frames) * 16_667,
        }
        write_pickle(root / "keypoints2d" / f"{name}.pkl", held)
    write_lines(root / "splits" / "crossmodal_train.txt", BM)
    write_lines(root / "splits" / "crossmodal_val.txt", OTHER)
    write_lines(root / "splits" / "crossmodal_test.txt")
    write_lines(root / "splits" / "pose_estimation_test.txt", BM)
    write_lines(root / "ignore_list.txt", "gLO_sBM_cAll_d13_mLO0_ch10")
    return root
