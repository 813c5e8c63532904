"""The numbers of the noise: how far, how often and for how long MediaPipe is wrong."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from d2m_core.files import replacing

from .hiding import BEHIND_OWN_BODY, HIDDEN, OUTSIDE, SEEN

MODEL_PATH = Path(__file__).with_name("noise_model.json")

STATES = (SEEN, BEHIND_OWN_BODY, HIDDEN, OUTSIDE)
"""Visibilities in the truth, in the order of `NoiseModel.worse` and `.visibility`."""

FACINGS = ("us", "aside", "away")
MEMORY_S = (1.2, 0.15, 0.0)
"""Seconds after which slow, middle and fast noise has forgotten itself; fast is white."""

QUANTILES = np.array([0.005, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97, 0.995])


@dataclass(frozen=True, eq=False)
class NoiseModel:
    """Lengths in metres. Channels C: world x, y, z and picture x, y (over frame heights per metre).

    Noise is added before MediaPipe's own filters; see `smoothing`.
    """

    bias_mean: np.ndarray
    """[J, 5] of the constant error, the same in all clips."""
    bias_spread: np.ndarray
    """[J, 5] from clip to clip."""
    gain_mean: np.ndarray
    """[J, 5] share of the movement around the hips that is added; negative flattens."""
    gain_spread: np.ndarray
    levels: np.ndarray
    """[3, J, 5]: spread of slow, middle and fast noise of a joint in sight that stands still."""
    speed_gain: np.ndarray
    """[J]: by how much noise grows with a metre per second."""
    clip_spread: float
    """Of the logarithm of the levels from clip to clip."""
    joint_spread: float
    """The same from joint group to group within a clip."""
    burst: float
    """Spread of the logarithm of the levels from moment to moment."""
    factors: np.ndarray
    """[5, J, R]: what joints have in common; the squares of a row sum to at most 1."""
    together: np.ndarray
    """[2]: how far picture x, y errors are those of world x, y."""
    worse: np.ndarray
    """[4] by `STATES`: factor of the levels."""
    further_off: np.ndarray
    """[4] by `STATES`: factor of the constant error's spread."""
    visibility: np.ndarray
    """[4, J, len(QUANTILES)]."""
    visibility_clip: float
    """Share of the visibility's (normal score's) variance that is constant in a clip."""
    visibility_memory_s: float
    swap_rate: np.ndarray
    """[2, 3]: swaps per second of arms and legs, by `FACINGS`."""
    swap_s: np.ndarray
    """[2, 3]: how long they last on average."""
    gap_rate: np.ndarray
    """[2]: drop-outs per second with head and trunk in sight and with them partly hidden."""
    gap_s: np.ndarray
    """[2]: how long they last on average."""
    late_start: float
    """Share of clips in which the person is not found at once."""
    late_start_s: float
    measured: str
    """How the numbers came about."""


def load_noise(path: Path = MODEL_PATH) -> NoiseModel:
    """The fitted model that comes with the package, or another file of its kind."""
    return _loaded(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _loaded(path: Path, _stamp: int) -> NoiseModel:
    values = json.loads(path.read_text(encoding="utf-8"))
    known = [field.name for field in fields(NoiseModel)]
    if sorted(values) != sorted(known):
        raise ValueError(f"{path} holds {sorted(values)}, not {sorted(known)}")
    arrays: dict[str, Any] = {
        name: np.array(value) if isinstance(value, list) else value for name, value in values.items()
    }
    return NoiseModel(**arrays)


def save_noise(model: NoiseModel, path: Path = MODEL_PATH) -> Path:
    """Writes the model as JSON, numbers to four digits."""
    values = {
        name: _rounded(value.tolist()) if isinstance(value, np.ndarray) else _rounded(value)
        for name, value in asdict(model).items()
    }
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in values.items()]
    with replacing(path) as part:
        part.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return path


def _rounded(value: object) -> object:
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value
