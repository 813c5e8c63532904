"""A pair of dance and music, and the files that it becomes inside a shard (see `shards`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load, save

from d2m_core.errors import SettingError
from d2m_core.types import MOTION_FPS, RHYTHM_CURVES, PoseSequence, Waveform

from .flac import decode_flac, encode_flac

FLOAT16_MAX = 6e4


def as_float16(values: np.ndarray) -> np.ndarray:
    """`values` as float16, clipped so that all stay finite."""
    return np.clip(values, -FLOAT16_MAX, FLOAT16_MAX).astype(np.float16)


PAIR_FORMAT = "1"
"""Version of the members described in `shards`."""

FACTS, POSES, MUSIC, FILM = "json", "pose.safetensors", "flac", "mp4"
ITEM = "item.safetensors"
"""What follows `NAME.` in the members' names; every pair has facts, the rest is there or not."""


@dataclass(frozen=True)
class Facts:
    """All that is known of a pair and fits into words; unknown facts keep their defaults.

    Times are seconds from the pair's start. What is known of real videos is less than of made ones.
    """

    duration_s: float
    style: str = ""
    tempo_bpm: float | None = None
    metre: int | None = None
    """Beats in a bar."""
    swing: float | None = None
    """Delay of off steps as a share of a step of `swing_step` beats."""
    swing_step: float | None = None
    beats_s: tuple[float, ...] = ()
    downbeats: tuple[bool, ...] = ()
    """One for each of `beats_s`."""
    key: str = ""
    chords: tuple[tuple[float, float, str], ...] = ()
    """(start, end, name)."""
    sections: tuple[tuple[float, float, str, float], ...] = ()
    """(start, end, kind, energy 0..1); they may reach beyond the pair."""
    hits: tuple[tuple[float, float], ...] = ()
    """(time, strength 0..1): what band and dancer both mark."""
    stops: tuple[tuple[float, float], ...] = ()
    """(start, end) of stretches in which the band is silent."""
    notes: Mapping[str, int] = field(default_factory=dict)
    """Onsets of each part of the music; their times lie beside the poses."""
    people: int = 0
    moves: tuple[tuple[tuple[float, str], ...], ...] = ()
    """For each person, (start, name) of the moves of every bar."""
    crop: str = ""
    camera: tuple[str, ...] = ()
    """What the camera does; empty is a tripod."""
    occluders: tuple[str, ...] = ()
    aspect: float | None = None
    """Width over height of the picture."""
    looseness: float | None = None
    seed: int | None = None
    sources: tuple[str, ...] = ()
    """Raw materials that went in."""
    made_by: str = ""
    """Program and version, or where the video came from."""


@dataclass(frozen=True, eq=False)
class Pair:
    """One stretch of dance with its music. Whatever is not known, or not wanted, is None."""

    name: str
    """Without dots; names a pair in the whole data set."""
    facts: Facts
    music: Waveform | None = None
    """B = 1; mono or stereo."""
    seen: PoseSequence | None = None
    """What a pose estimator returned, faults and all; person 0 is the lead."""
    truth: PoseSequence | None = None
    """What a perfect estimator would have returned."""
    joints: np.ndarray | None = None
    """float32 [F, P, J, 3] in scene metres: x right, y down with the floor at 0, z away."""
    accents: np.ndarray | None = None
    """float32 [A, 3]: seconds, strength 0..1, person; rising in time for each person."""
    energy: np.ndarray | None = None
    """float32 [F, P] in 0..1: how large each person dances."""
    curves: np.ndarray | None = None
    """float32 [F, R]: the music's own `types.RHYTHM_CURVES`."""
    onsets: Mapping[str, np.ndarray] = field(default_factory=dict)
    """float32 [n, 2] for each part of the music: seconds and strength 0..1."""
    film: bytes | None = None
    """An mp4 file of the dance, the music under it."""
    item: bytes | None = None
    """The file of the training item made from this pair (`training.transformer.items`)."""


# --- to files ---


def to_members(pair: Pair) -> list[tuple[str, bytes]]:
    """Names and contents of the files of a pair, in the order of a shard; facts come first."""
    known = [(FACTS, json.dumps(asdict(pair.facts), ensure_ascii=False).encode() + b"\n")]
    tensors = _tensors(pair)
    if tensors:
        known.append((POSES, save(tensors, {"format_version": PAIR_FORMAT})))
    if pair.music is not None:
        sound = pair.music.samples[0].numpy()
        known.append((MUSIC, encode_flac(sound, pair.music.sample_rate)))
    if pair.film is not None:
        known.append((FILM, pair.film))
    if pair.item is not None:
        known.append((ITEM, pair.item))
    return [(f"{pair.name}.{kind}", data) for kind, data in known]


def _tensors(pair: Pair) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for name, poses in (("seen", pair.seen), ("true", pair.truth)):
        if poses is not None:
            found[f"{name}.world"] = poses.world.astype(np.float16)
            found[f"{name}.image"] = _half(poses.image)
            found[f"{name}.visibility"] = poses.visibility.astype(np.float16)
            found[f"{name}.present"] = poses.present.astype(np.uint8)
            found[f"{name}.fps"] = np.array([poses.fps], np.float64)
    if pair.joints is not None:
        found["true.joints"] = pair.joints.astype(np.float32)
    if pair.accents is not None:
        found["dance.accents"] = pair.accents.astype(np.float32)
    if pair.energy is not None:
        found["dance.energy"] = pair.energy.astype(np.float16)
    if pair.curves is not None:
        found["music.curves"] = pair.curves.astype(np.float16)
    for part, onsets in pair.onsets.items():
        found[f"music.onsets.{part}"] = onsets.astype(np.float32)
    return {name: np.ascontiguousarray(found[name]) for name in sorted(found)}


def _half(values: np.ndarray) -> np.ndarray:
    """float16, kept finite: a landmark beside the camera may be projected anywhere."""
    return np.clip(values, -6e4, 6e4).astype(np.float16)


# --- from files ---


def from_members(name: str, files: Mapping[str, bytes]) -> Pair:
    """The pair of which `files` holds the members by kind. Raises `SettingError` for others."""
    try:
        facts = _facts(json.loads(files[FACTS]))
        tensors = load(files[POSES]) if POSES in files else {}
    except KeyError as error:
        raise SettingError(f"Pair {name} has no facts ({name}.{FACTS}); make it again.") from error
    except (ValueError, TypeError, SafetensorError) as error:
        raise SettingError(f"Pair {name} cannot be read ({error}); make it again.") from error
    pair = Pair(
        name,
        facts,
        music=_music(name, files[MUSIC]) if MUSIC in files else None,
        seen=_poses(tensors, "seen"),
        truth=_poses(tensors, "true"),
        joints=tensors.get("true.joints"),
        accents=tensors.get("dance.accents"),
        energy=_full(tensors.get("dance.energy")),
        curves=_full(tensors.get("music.curves")),
        onsets={
            key.removeprefix("music.onsets."): values
            for key, values in sorted(tensors.items())
            if key.startswith("music.onsets.")
        },
        film=files.get(FILM),
        item=files.get(ITEM),
    )
    _check(pair)
    return pair


def _facts(found: dict[str, Any]) -> Facts:
    known = {f.name for f in fields(Facts)}
    if not set(found) <= known or "duration_s" not in found:
        raise ValueError(f"facts are not of format {PAIR_FORMAT}")
    return Facts(**{key: _tuples(value) for key, value in found.items()})


def _tuples(value: Any) -> Any:
    return tuple(_tuples(each) for each in value) if isinstance(value, list) else value


def _music(name: str, data: bytes) -> Waveform:
    samples, rate = decode_flac(data, f"{name}.{MUSIC}")
    return Waveform(torch.from_numpy(samples)[None], rate)


def _poses(tensors: Mapping[str, np.ndarray], name: str) -> PoseSequence | None:
    if f"{name}.world" not in tensors:
        return None
    world, image, visibility = (
        tensors[f"{name}.{part}"].astype(np.float32) for part in ("world", "image", "visibility")
    )
    present = tensors[f"{name}.present"].astype(np.bool_)
    return PoseSequence(world, image, visibility, present, float(tensors[f"{name}.fps"][0]))


def _full(values: np.ndarray | None) -> np.ndarray | None:
    return None if values is None else values.astype(np.float32)


def _check(pair: Pair) -> None:
    """Refuses pairs whose parts are not equally long."""
    facts = pair.facts
    lengths = {"music": None if pair.music is None else pair.music.duration_s}
    for name, poses in (("seen", pair.seen), ("true", pair.truth)):
        lengths[name] = None if poses is None else poses.duration_s
    if pair.curves is not None:
        lengths["curves"] = len(pair.curves) / MOTION_FPS
        if pair.curves.shape[1] != len(RHYTHM_CURVES):
            raise SettingError(f"Pair {pair.name} has other rhythm curves; make it again.")
    for name, length_s in lengths.items():
        if length_s is not None and abs(length_s - facts.duration_s) > 1 / MOTION_FPS:
            raise SettingError(
                f"Pair {pair.name}: {name} lasts {length_s:.2f} s and the pair"
                f" {facts.duration_s:.2f} s; make it again."
            )
    if len(facts.beats_s) != len(facts.downbeats):
        raise SettingError(f"Pair {pair.name} marks other beats than it has; make it again.")
