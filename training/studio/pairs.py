"""Makes pairs of dance and music from seeds: one plan, a band that plays it, dancers who dance it.

    make_pair(100_000, PairSettings())

`python -m training.studio` makes many of them (`factory`).
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from d2m_core.band import Plan, Song, make_plan, plan_for_dance, play
from d2m_core.motion import extract_motion
from d2m_core.types import RHYTHM_CURVES, PoseSequence, Rhythm, Waveform
from training.pairs.pair import Facts, Pair
from training.studio.dancer.dance import Dance
from training.studio.picture.drawing import render_scene
from training.studio.picture.film import random_film
from training.studio.stage.noise import mediapipe_like
from training.studio.stage.scene import MOST_PEOPLE, Scene, stage

from .settings import ANY_TEMPO_BPM, PairSettings

PIXELS = 360
"""Shorter side of films."""

FILM_CRF = 24
"""Films are looked at by MediaPipe, not by people: half the size of `render_scene`'s own 18."""


def make_pair(seed: int, settings: PairSettings) -> Pair:
    """The pair of a seed; equal seeds and settings give equal pairs."""
    plan = plan_of(seed, settings)
    scene = stage_of(plan, settings) if settings.dance else None
    seen = see(scene) if scene is not None else None
    if settings.answered and seen is not None:
        plan = answering(plan, seen)
    song = play(plan, settings.materials) if settings.music else None
    return assemble(plan, song, scene, seen, settings)


def plan_of(seed: int, settings: PairSettings) -> Plan:
    """The plan that music and dance of a seed share."""
    turn, style = divmod(seed, len(settings.styles))
    rng = np.random.default_rng([seed, 0x7E])
    tempo_bpm = None
    if settings.any_tempo and rng.random() < settings.any_tempo:
        tempo_bpm = float(rng.uniform(*ANY_TEMPO_BPM))
    plan = make_plan(seed, settings.seconds, settings.styles[style], tempo_bpm, straight=settings.straight)
    return replace(plan, band=turn % settings.bands) if settings.bands else plan


def answering(plan: Plan, seen: PoseSequence) -> Plan:
    """The plan of a band that sees the dance: on the same beats, its hits, stops and sections the dance's."""
    motion = extract_motion(seen)
    curves = np.zeros((plan.frames, len(RHYTHM_CURVES)), np.float32)
    curves[:, RHYTHM_CURVES.index("energy")] = plan.energy
    rhythm = Rhythm(plan.beats_s, plan.downbeats, curves, plan.tempo_bpm)
    found = plan_for_dance(rhythm, motion, plan.style, plan.seed)
    return replace(found, tempo_bpm=plan.tempo_bpm, band=plan.band, beat_steps=plan.beat_steps)


def stage_of(plan: Plan, settings: PairSettings) -> Scene:
    """The dancers of a plan before their camera."""
    rng = np.random.default_rng([plan.seed, 0x9E09])
    several = rng.random() < settings.people
    people = int(rng.integers(2, MOST_PEOPLE + 1)) if several else 1
    return stage(plan, plan.seed, people, settings.looseness)


def see(scene: Scene) -> PoseSequence:
    """The poses that MediaPipe might return of a scene."""
    return mediapipe_like(scene.poses, np.random.default_rng([scene.seed, 0x5EE]))


def assemble(
    plan: Plan, song: Song | None, scene: Scene | None, seen: PoseSequence | None, settings: PairSettings
) -> Pair:
    """The finished pair, drawn as well where its seed says so."""
    music = _music(song, settings.mono) if song is not None else None
    facts = _of_plan(plan, settings)
    if song is not None:
        facts = _with_song(facts, song)
    pair = Pair(f"{plan.seed:07d}", facts, music=music)
    if song is not None:
        curves = np.stack([song.onset, song.energy], axis=1)
        pair = replace(pair, curves=curves, onsets=song.onsets)
    if scene is None:
        return pair
    return replace(
        pair,
        facts=_with_scene(facts, scene),
        seen=seen,
        truth=scene.poses,
        joints=np.stack([each.joints for each in scene.dances], axis=1),
        accents=_accents(scene),
        energy=np.stack([each.energy for each in scene.dances], axis=1),
        film=_film(scene, music) if _is_drawn(plan.seed, settings.pixels) else None,
    )


# --- music ---


def _music(song: Song, mono: bool) -> Waveform:
    samples = song.samples.mean(0, keepdims=True) if mono else song.samples
    return Waveform(torch.from_numpy(np.ascontiguousarray(samples))[None], song.sample_rate)


def _with_song(facts: Facts, song: Song) -> Facts:
    return replace(
        facts,
        key=song.key,
        chords=tuple((float(c.start_s), float(c.end_s), c.name) for c in song.chords),
        notes={part: len(song.onsets[part]) for part in sorted(song.onsets)},
        sources=tuple(sorted(song.sources)),
    )


def _of_plan(plan: Plan, settings: PairSettings) -> Facts:
    metre = plan.metre
    spans = [(s.first_bar * metre, (s.first_bar + s.bars) * metre, s.kind, s.energy) for s in plan.sections]
    return Facts(
        duration_s=plan.duration_s,
        style=plan.style,
        tempo_bpm=plan.tempo_bpm,
        metre=metre,
        swing=plan.swing,
        swing_step=plan.swing_step,
        beats_s=tuple(plan.beats_s.tolist()),
        downbeats=tuple(plan.downbeats.tolist()),
        sections=tuple(
            (float(plan.seconds(a)), float(plan.seconds(b)), kind, level) for a, b, kind, level in spans
        ),
        hits=_inside(plan, [(hit.beat, hit.strength) for hit in plan.hits]),
        stops=tuple((_played(plan, stop.beat), _played(plan, stop.beat + stop.beats)) for stop in plan.stops),
        looseness=settings.looseness,
        seed=plan.seed,
        made_by=settings.made_by,
    )


def _inside(plan: Plan, marks: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """(seconds, strength) of the marks (beat, strength) that lie in the window."""
    timed = [(_played(plan, beat), strength) for beat, strength in marks]
    return tuple((at, strength) for at, strength in timed if 0 <= at < plan.duration_s)


def _played(plan: Plan, beat: float) -> float:
    """Seconds at which a place in beats is played."""
    return float(plan.seconds(plan.swung(beat)))


# --- dance ---


def _with_scene(facts: Facts, scene: Scene) -> Facts:
    return replace(
        facts,
        people=len(scene.dances),
        moves=tuple(_moves(each, scene.plan) for each in scene.dances),
        crop=scene.shot.crop,
        camera=tuple(scene.shot.moves),
        occluders=tuple(scene.shot.occluders),
        aspect=scene.shot.aspect,
    )


def _moves(made: Dance, plan: Plan) -> tuple[tuple[float, str], ...]:
    """(start, name) of the moves of each bar that reaches into the pair."""
    starts = plan.seconds(np.arange(len(made.moves) + 1) * plan.metre)
    named = (move if isinstance(move, str) else "+".join(move) for move in made.moves)
    return tuple(
        (float(start), name)
        for start, end, name in zip(starts, starts[1:], named, strict=False)
        if end > 0 and start < plan.duration_s
    )


def _accents(scene: Scene) -> np.ndarray:
    parts = [
        np.stack([each.accents_s, each.accent_strengths, np.full(len(each.accents_s), person)], axis=1)
        for person, each in enumerate(scene.dances)
    ]
    return np.concatenate(parts).astype(np.float32)


def _is_drawn(seed: int, share: float) -> bool:
    return bool(np.random.default_rng([seed, 0xD4A3]).random() < share)


def _film(scene: Scene, music: Waveform | None) -> bytes:
    """The drawn scene as an mp4 file."""
    aspect = scene.shot.aspect
    width, height = (PIXELS * aspect, PIXELS) if aspect >= 1 else (PIXELS, PIXELS / aspect)
    size = (2 * round(width / 2), 2 * round(height / 2))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        render_scene(scene, path, *size, samples=music, film=random_film(scene.seed), crf=FILM_CRF)
        return path.read_bytes()
