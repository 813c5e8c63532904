"""What was found and made, as words and as plain numbers."""

from __future__ import annotations

import platform
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..notices import as_json
from ..pipeline import DanceMusic
from ..pose import events, followed
from ..rhythm import tempo_words

_PACKAGE = "dance-to-music"
_LIBRARIES = ("torch", "transformers", "mediapipe", "av", "numpy")
"""What the same clip, settings and seed may sound otherwise with."""


def summary(result: DanceMusic, files: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What was found, asked for and written, as plain numbers and words; `files` by what they are."""
    rhythm, settings = result.rhythm, result.settings
    return {
        "clip": str(result.clip.path),
        "files": _plain(files or {}),
        "duration_s": round(result.clip.duration_s, 3),
        **_people(result),
        "tempo_bpm": round(rhythm.tempo_bpm, 2),
        "tempi": [
            {"bpm": round(guess.bpm, 2), "probability": round(guess.probability, 3)} for guess in rhythm.tempi
        ],
        "music_s": round(result.audio.duration_s, 3),
        "seconds_in_front": round(result.added_s, 3),
        "beats_from": settings.rhythm.beats_from,
        "confidence": round(rhythm.confidence, 3),
        "metre": rhythm.metre,
        "grid": settings.rhythm.grid,
        "beats_s": [round(float(t), 3) for t in rhythm.beats_s],
        "downbeats_s": [round(float(t), 3) for t in rhythm.beats_s[rhythm.downbeats]],
        "style": result.style,
        "style_asked": settings.sampling.style or "any",
        "seed": settings.sampling.seed,
        "ending": settings.sound.ending,
        "dynamics": settings.sound.dynamics,
        **_played(result),
        "warnings": as_json(result.notices),
        "seconds": {stage: round(s, 2) for stage, s in result.seconds.items()},
        "real_time_factor": round(result.real_time_factor, 3),
        "versions": versions(),
    }


def _people(result: DanceMusic) -> dict[str, Any]:
    everyone = result.poses if result.everyone is None else result.everyone
    dancer = result.settings.people.dancer
    return {
        "dancer": dancer if isinstance(dancer, str | int) else asdict(dancer),
        "dancers_followed": followed(everyone, dancer),
        "dancer_found": round(float(result.poses.present.any(axis=1).mean()), 3),
        "events": [asdict(event) for event in events(everyone, followed(everyone, dancer))],
        "people_found": int(everyone.present.any(axis=0).sum()),
    }


def _played(result: DanceMusic) -> dict[str, Any]:
    """What the band played, where it did."""
    take = result.take
    if take is None:
        return {"played_by": "model"}
    return {
        "played_by": "band",
        "key": take.key,
        "sections": [{"start_s": round(at, 3), "name": name} for at, name in take.sections],
        "chords": [{"start_s": round(at, 3), "name": name} for at, name in take.chords],
    }


def _plain(files: Any) -> Any:
    if isinstance(files, Mapping):
        return {name: _plain(path) for name, path in files.items()}
    return [_plain(path) for path in files] if isinstance(files, list) else str(files)


def in_words(result: DanceMusic, files: Mapping[str, Any]) -> str:
    """The same for people, in a few lines."""
    facts = summary(result, files)
    stages = ", ".join(f"{stage} {s:.1f} s" for stage, s in facts["seconds"].items())
    also = "".join(f"{name}: {path}\n" for name, path in _flat(facts["files"]) if name != "music")
    tempo = f"{facts['tempo_bpm']:.1f} BPM{_others(result)}"
    return (
        f"{files['music']}: {facts['music_s']:.1f} s of music at {tempo}, "
        f"{len(facts['beats_s'])} beats (confidence {facts['confidence']:.2f}), "
        f"style {facts['style'] or 'as the model chose'}, seed {facts['seed']}\n"
        f"{also}{stages}; {facts['real_time_factor']:.2f} x the clip's length\n"
    )


def _others(result: DanceMusic) -> str:
    """Where the tempo may be another: which."""
    words = tempo_words(result.rhythm)
    return f" ({words})" if " or " in words else ""


def _flat(files: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(files, Mapping):
        for inner, path in files.items():
            yield from _flat(path, f"{name} {inner}".strip())
    elif isinstance(files, list):
        for path in files:
            yield from _flat(path, name)
    else:
        yield name, files


def versions() -> dict[str, str]:
    """Of this program, Python, and the libraries that music depends on."""
    found = {"d2m": _own(), "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _own() -> str:
    project = Path(__file__).parents[2] / "pyproject.toml"
    if project.is_file():
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
    try:
        return version(_PACKAGE)
    except PackageNotFoundError:
        return "unknown"
