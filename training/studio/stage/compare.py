"""MediaPipe's answers beside simulated ones on the same dances: numbers and a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import ks_2samp

from d2m_core.files import replacing

from .fit import simulated
from .measure import GROUPS, Errors, Sighting, errors, in_metres, lag_ms, picture_scale
from .noise_model import NoiseModel

_FEW = 20_000
_REPEATS = 3
"""Simulations of every clip."""
_MOVING_M = 0.03
"""Lags are measured for joints whose places spread at least this much."""

_SHOWN = ("face", "shoulders", "hips", "wrists", "knees", "feet")


@dataclass(frozen=True, eq=False)
class Compared:
    """Samples of one quantity, measured and simulated."""

    quantity: str
    unit: str
    group: str
    """Of joints."""
    measured: np.ndarray
    simulated: np.ndarray

    @property
    def distance(self) -> float:
        """Kolmogorov-Smirnov: 0 the same distribution, 1 no value in common."""
        if min(len(self.measured), len(self.simulated)) < 5:
            return float("nan")
        return float(ks_2samp(self.measured, self.simulated).statistic)


Sampler = Callable[[Sighting, Errors, list[int]], np.ndarray]


def _jitter(channels: list[int]) -> Sampler:
    return lambda _, e, joints: 1000 * np.linalg.norm(e.bands[2][e.good][:, joints][..., channels], axis=-1)


def _moving(channels: list[int]) -> Sampler:
    return lambda _, e, joints: 1000 * np.linalg.norm(e.rest[e.good][:, joints][..., channels], axis=-1)


def _bias(channels: list[int]) -> Sampler:
    return lambda _, e, joints: 1000 * np.linalg.norm(e.bias[joints][:, channels], axis=-1)


def _lag(pair: Sighting, e: Errors, joints: list[int]) -> np.ndarray:
    scale = picture_scale(pair.truth)
    truth, found = in_metres(pair.truth, scale), in_metres(pair.found, scale)
    lags = [
        lag_ms(truth[:, j, 3:], found[:, j, 3:], e.good, pair.truth.fps)
        for j in joints[:2]
        if truth[:, j, 3:].std(0).max() > _MOVING_M
    ]
    return np.array(lags)


def _visible(pair: Sighting, e: Errors, joints: list[int]) -> np.ndarray:
    return pair.found.visibility[:, 0][e.good][:, joints]


def _gain(pair: Sighting, e: Errors, joints: list[int]) -> np.ndarray:
    values = e.gain[joints, 2]
    return values[values != 0.0]


_QUANTITIES: tuple[tuple[str, str, Sampler], ...] = (
    ("jitter across", "mm", _jitter([0, 1])),
    ("jitter in depth", "mm", _jitter([2])),
    ("jitter in the picture", "mm", _jitter([3, 4])),
    ("error that moves, across", "mm", _moving([0, 1])),
    ("error that moves, depth", "mm", _moving([2])),
    ("constant error, across", "mm", _bias([0, 1])),
    ("constant error, depth", "mm", _bias([2])),
    ("depth added to movement", "share", _gain),
    ("lag in the picture", "ms", _lag),
    ("visibility", "0..1", _visible),
)


def compare(sightings: list[Sighting], model: NoiseModel, seed: int) -> list[Compared]:
    """All quantities of all joint groups, MediaPipe's and the model's on the same dances."""
    rng = np.random.default_rng([seed, 0xC0C0])
    real = [(pair, e) for pair in sightings if (e := errors(pair)) is not None]
    made_pairs = [simulated(pair, model, rng) for pair, _ in real * _REPEATS]
    made = [(pair, e) for pair in made_pairs if (e := errors(pair)) is not None]
    out = []
    for quantity, unit, sample in _QUANTITIES:
        for group, joints in GROUPS.items():
            both = [
                np.concatenate([sample(pair, e, list(joints)).ravel() for pair, e in side])
                for side in (real, made)
            ]
            both = [v if len(v) <= _FEW else rng.choice(v, _FEW, replace=False) for v in both]
            out.append(Compared(quantity, unit, group, both[0], both[1]))
    return out


def rows(compared: list[Compared]) -> list[dict[str, object]]:
    """Medians and 95th percentiles of both sides, and their distance, for a table."""
    out: list[dict[str, object]] = []
    for one in compared:
        if min(len(one.measured), len(one.simulated)) < 5:
            continue
        (a, b), (c, d) = (np.quantile(v, [0.5, 0.95]) for v in (one.measured, one.simulated))
        out.append(
            {
                "quantity": f"{one.quantity} [{one.unit}]",
                "joints": one.group,
                "measured 50 %": float(a),
                "simulated 50 %": float(c),
                "measured 95 %": float(b),
                "simulated 95 %": float(d),
                "KS": one.distance,
            }
        )
    return out


def _drawable(one: Compared, values: np.ndarray) -> np.ndarray:
    """Values as the picture shows them: how far visibility is from 1, in powers of ten."""
    return np.log10(1.0003 - values) if one.quantity == "visibility" else values


def picture(compared: list[Compared], path: Path) -> Path:
    """Measured (grey) and simulated (red outline) histograms side by side, as a PNG or JPEG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    quantities = list(dict.fromkeys(one.quantity for one in compared))
    figure = Figure(figsize=(1.9 * len(_SHOWN), 1.25 * len(quantities)), layout="constrained")
    axes = figure.subplots(len(quantities), len(_SHOWN))
    for one in compared:
        if one.group not in _SHOWN or len(one.measured) < 5 or len(one.simulated) < 5:
            continue
        axis = axes[quantities.index(one.quantity), _SHOWN.index(one.group)]
        measured, simulated = (_drawable(one, side) for side in (one.measured, one.simulated))
        low, high = np.quantile(np.concatenate([measured, simulated]), [0.003, 0.985])
        bins = np.linspace(low, max(high, low + 1e-3), 26)
        axis.hist(np.clip(measured, low, high), bins, density=True, color="0.75")
        axis.hist(np.clip(simulated, low, high), bins, density=True, histtype="step", color="C3")
        axis.set_title(f"KS {one.distance:.2f}", fontsize=6, pad=1, loc="right")
    for row, quantity in enumerate(quantities):
        unit = next(one.unit for one in compared if one.quantity == quantity)
        name = "lack of visibility, log10" if quantity == "visibility" else f"{quantity}, [{unit}]"
        axes[row, 0].set_ylabel(name.replace(", ", "\n"), fontsize=6)
    for column, group in enumerate(_SHOWN):
        axes[0, column].set_title(group, fontsize=8, loc="left")
    for axis in axes.flat:
        axis.tick_params(labelsize=5, length=2)
        axis.set_yticks([])
    figure.suptitle("Errors on drawn dancers: MediaPipe (grey), noise model (red)", fontsize=9)
    FigureCanvasAgg(figure)
    with replacing(path) as part:
        figure.savefig(part, dpi=88, format=path.suffix[1:].replace("jpg", "jpeg"))
    return path
