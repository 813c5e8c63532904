"""Fits the noise model: constants straight from the errors, levels by trying and comparing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from d2m_core.types import LANDMARKS

from .fit_events import drop_outs, swap_rates, visibilities
from .hiding import SEEN
from .measure import BANDS, GROUPS, Errors, Sighting, errors
from .noise import FITTED, mediapipe_like
from .noise_model import STATES, NoiseModel

_RANK = 6
_REPEATS = 3
"""Simulations of every clip, so that no single draw of a clip's level decides."""
_BURSTS = (0.0, 0.25, 0.5)


def fit_noise(sightings: list[Sighting], seed: int, measured: str, rounds: int = 5) -> NoiseModel:
    """The model whose simulated answers are wrong by as much as the sightings'."""
    pairs = [(pair, found) for pair in sightings if (found := errors(pair)) is not None]
    plain = [(pair, e) for pair, e in pairs if (e.seen >= SEEN - 0.01).mean() > 0.6]
    model = _constants(sightings, pairs, measured)
    target = level_of([e for _, e in plain])
    best = (np.inf, model)
    for burst in _BURSTS:
        tried = _levelled(replace(model, burst=burst), plain, target, seed, rounds)
        miss = abs(np.log(tails([e for _, e in plain]) / tails(_simulated(plain, tried, seed))))
        best = min(best, (float(miss), tried), key=lambda pair: pair[0])
    return best[1]


def _levelled(
    model: NoiseModel, pairs: list[tuple[Sighting, Errors]], target: np.ndarray, seed: int, rounds: int
) -> NoiseModel:
    """The model with levels and gains changed until simulated errors are like the target."""
    found = [e for _, e in pairs]
    mean, spread = _gains(np.stack([e.gain for e in found]))
    apart, off = np.array(spreads(found)), _offset(found, model.bias_mean)
    for _ in range(rounds):
        made = _simulated(pairs, model, seed)
        ratio = target / np.maximum(level_of(made), 1e-6)
        found_mean, found_spread = _gains(np.stack([e.gain for e in made]))
        wider = _step(apart, np.array(spreads(made)))
        model = replace(
            model,
            levels=model.levels * np.clip(ratio, 0.2, 5.0) ** 0.9,
            gain_mean=np.clip(model.gain_mean + 0.7 * (mean - found_mean), -1.0, 0.5),
            gain_spread=np.clip(model.gain_spread * _step(spread, found_spread), 0.0, 0.6),
            bias_spread=model.bias_spread * _step(off, _offset(made, model.bias_mean)),
            clip_spread=min(float(model.clip_spread * wider[0]), 0.6),
            joint_spread=min(float(model.joint_spread * wider[1]), 0.6),
        )
    return model


def _step(wanted: np.ndarray, got: np.ndarray) -> np.ndarray:
    """Careful factors towards what is wanted."""
    return np.clip(np.maximum(wanted, 1e-3) / np.maximum(got, 1e-3), 0.6, 1.5)


def _offset(many: list[Errors], mean: np.ndarray) -> np.ndarray:
    """Typical distance [J, 5] of the constant errors from `mean`, by group."""
    away = np.abs(np.stack([e.bias for e in many]) - mean)
    middle = [np.median(away[:, joints], axis=(0, 1)) for joints in map(list, GROUPS.values())]
    return _spread_out(np.stack(middle))


def _simulated(pairs: list[tuple[Sighting, Errors]], model: NoiseModel, seed: int) -> list[Errors]:
    """Errors of the model on the same dances."""
    rng = np.random.default_rng([seed, 0xF17])
    made = [errors(simulated(pair, model, rng)) for pair, _ in pairs * _REPEATS]
    return [e for e in made if e is not None]


def simulated(pair: Sighting, model: NoiseModel, rng: np.random.Generator) -> Sighting:
    """The sighting with the model's answer in the place of MediaPipe's."""
    found = mediapipe_like(pair.truth, rng, FITTED, model, as_shown=False)
    return replace(pair, found=found, followed=found.present[:, 0] & pair.truth.present[:, 0])


def level_of(many: list[Errors]) -> np.ndarray:
    """Typical size [3, J, 5] of errors in sight by band, between the middle and a large one."""
    out = np.full((len(BANDS), len(GROUPS), 5), 1e-5)
    for row, joints in enumerate(GROUPS.values()):
        parts = [e.bands[:, :, joints][:, (e.seen[:, joints] >= SEEN - 0.01) & e.good[:, None]] for e in many]
        sizes = np.quantile(np.abs(np.concatenate(parts, axis=1)), [0.5, 0.9], axis=1)
        out[:, row] = np.sqrt(np.maximum(sizes[0] * sizes[1], 1e-10))
    return _spread_out(out)


def _clip_level(e: Errors) -> np.ndarray:
    """RMS [3, groups, 5] of the bands where a joint is in sight."""
    clear = (e.seen >= SEEN - 0.01) & e.good[:, None]
    out = np.full((len(BANDS), len(GROUPS), 5), np.nan)
    for row, joints in enumerate(GROUPS.values()):
        mask = clear[:, joints]
        if mask.sum() > 20:
            out[:, row] = np.sqrt((e.bands[:, :, joints][:, mask] ** 2).mean(1))
    return out


def _spread_out(by_group: np.ndarray) -> np.ndarray:
    """[..., groups, 5] -> [..., J, 5]."""
    out = np.zeros((*by_group.shape[:-2], LANDMARKS, by_group.shape[-1]))
    for row, joints in enumerate(GROUPS.values()):
        out[..., joints, :] = by_group[..., row : row + 1, :]
    return out


def tails(many: list[Errors]) -> float:
    """How much larger the largest hundredth of quick errors is than the middle one."""
    ratios = []
    for e in many:
        quick = np.abs(e.bands[1:].sum(0))[e.good][:, 11:]
        ratios.append(np.quantile(quick, 0.99, axis=0) / np.maximum(np.median(quick, 0), 1e-6))
    return float(np.median(np.stack(ratios)))


def _constants(sightings: list[Sighting], pairs: list[tuple[Sighting, Errors]], measured: str) -> NoiseModel:
    """Everything but the levels, which start at the measured size."""
    found = [e for _, e in pairs]
    bias, gain = np.stack([e.bias for e in found]), np.stack([e.gain for e in found])
    bias_mean = np.median(bias, 0)
    bias_mean[:, [0, 3]] = 0.0  # nobody's left is different from their right
    gain_mean, gain_spread = _gains(gain)
    clip_spread, joint_spread = spreads(found)
    visibility, clip_share, memory_s = visibilities(sightings)
    swap_rate, swap_s = swap_rates(sightings, pairs)
    gap_rate, gap_s, late, late_s = drop_outs(sightings)
    return NoiseModel(
        bias_mean,
        1.4826 * np.median(np.abs(bias - bias_mean), 0),
        gain_mean,
        gain_spread,
        level_of(found),
        _speed_gain(found),
        clip_spread,
        joint_spread,
        0.0,
        *_common(found),
        _worse(found),
        _further_off(found, bias_mean),
        visibility,
        clip_share,
        memory_s,
        swap_rate,
        swap_s,
        gap_rate,
        gap_s,
        late,
        late_s,
        measured,
    )


def spreads(many: list[Errors]) -> tuple[float, float]:
    """Spread of the logarithm of the quicker levels over clips, and over groups within a clip."""
    sizes = np.log(np.maximum(np.array([_clip_level(e) for e in many])[:, 1:], 1e-5))
    known = np.ma.masked_invalid(sizes)  # [clips, 2, groups, 5]
    apart = known - np.ma.median(known, axis=0)
    by_group = apart.mean(axis=(1, 3))
    by_clip = by_group.mean(axis=1)
    return float(by_clip.std()), float((by_group - by_clip[:, None]).std())


def _gains(gain: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread [J, 5] over clips [n, J, 5] in which the joint moved, by group."""
    mean, spread = np.zeros(gain.shape[1:]), np.zeros(gain.shape[1:])
    for joints in GROUPS.values():
        part = np.ma.masked_equal(gain[:, joints].reshape(-1, gain.shape[-1]), 0.0)
        if part.count() > 10:
            middle = np.ma.median(part, axis=0)
            mean[list(joints)] = middle.filled(0.0)
            spread[list(joints)] = 1.4826 * np.ma.median(np.abs(part - middle), axis=0).filled(0.0)
    return mean, spread


def _speed_gain(many: list[Errors]) -> np.ndarray:
    """Growth of quick errors per metre per second of the joint's speed, [J]."""
    out = np.zeros(LANDMARKS)
    for joints in GROUPS.values():
        index = list(joints)
        speed = np.concatenate([e.speed[e.good][:, index].ravel() for e in many])
        size = np.concatenate(
            [np.sqrt((e.bands[1:].sum(0)[e.good][:, index][..., [0, 1]] ** 2).mean(-1)).ravel() for e in many]
        )
        edges = np.quantile(speed, np.linspace(0, 1, 9))
        where = np.clip(np.digitize(speed, edges) - 1, 0, 7)
        kept = [b for b in range(8) if (where == b).sum() > 20]
        if len(kept) < 3:
            continue
        at = np.array([speed[where == b].mean() for b in kept])
        level = np.array([np.sqrt((size[where == b] ** 2).mean()) for b in kept])
        slope, start = np.polyfit(at, level, 1)
        out[index] = np.clip(slope / max(start, 0.2 * level.mean()), 0.0, 4.0)
    return out


def _common(many: list[Errors]) -> tuple[np.ndarray, np.ndarray]:
    """Factors [5, J, R] of the errors' correlations over joints; picture against world [2]."""
    scaled = [e.rest[e.good] / np.maximum(e.rest[e.good].std(0), 1e-6) for e in many]  # each [f, J, 5]
    factors = np.zeros((5, LANDMARKS, _RANK))
    for channel in range(5):
        values = np.concatenate([part[..., channel] for part in scaled])
        power, axes = np.linalg.eigh(np.corrcoef(values.T))
        main = axes[:, -_RANK:] * np.sqrt(np.maximum(power[-_RANK:], 0.0))
        size = np.sqrt((main**2).sum(1, keepdims=True))
        factors[channel] = main / np.maximum(size, 1.0)
    together = [np.mean([(part[:, 11:, c] * part[:, 11:, 3 + c]).mean() for part in scaled]) for c in (0, 1)]
    return factors, np.clip(together, 0.0, 0.98)


def _worse(many: list[Errors]) -> np.ndarray:
    """Errors by `STATES` against those in sight, [4], within clip and group."""
    out = np.ones(len(STATES))
    for row, state in enumerate(STATES[1:], 1):
        ratios = []
        for e in many:
            for joints in GROUPS.values():
                near = np.abs(e.seen[:, joints] - state) < 0.01
                clear = e.seen[:, joints] >= SEEN - 0.01
                near, clear = near & e.good[:, None], clear & e.good[:, None]
                if near.sum() > 15 and clear.sum() > 15:
                    size = (e.rest[:, joints] ** 2).mean(-1)
                    ratios.append(np.sqrt(size[near].mean() / size[clear].mean()))
        if len(ratios) > 4:
            out[row] = np.clip(np.exp(np.median(np.log(ratios))), 1.0, 5.0)
    return out


def _further_off(many: list[Errors], bias_mean: np.ndarray) -> np.ndarray:
    """Whole errors by `STATES` against those in sight, [4], within groups of joints."""
    out = np.ones(len(STATES))
    for row, state in enumerate(STATES[1:], 1):
        ratios = []
        for joints in map(list, GROUPS.values()):
            sizes: list[list[np.ndarray]] = [[], []]
            for e in many:
                off = ((e.bias + e.rest - bias_mean)[:, joints] ** 2).mean(-1)
                for side, level in zip(sizes, (SEEN, state), strict=True):
                    side.append(off[(np.abs(e.seen[:, joints] - level) < 0.01) & e.good[:, None]])
            clear, hidden = (np.concatenate(side) for side in sizes)
            if min(len(clear), len(hidden)) > 100:
                ratios.append(np.sqrt(np.median(hidden) / np.median(clear)))
        if ratios:
            out[row] = np.clip(np.exp(np.mean(np.log(ratios))), 1.0, 5.0)
    return out
