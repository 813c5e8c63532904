"""What decides a data set beside its recordings: noted when it is begun, compared ever after."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from d2m_core.pose import pose_model
from d2m_core.weights import EMBEDDED_FOLDERS, weights_folder
from training.pairs.manifest import Origin
from training.run.provenance import ROOT, digest, file_sha256, versions_of

from .settings import ClipSettings

_PACKAGES = (
    "av",
    "librosa",
    "mediapipe",
    "numpy",
    "opencv-contrib-python",
    "safetensors",
    "scipy",
    "torch",
    "torchaudio",
    "transformers",
)

_CODE = (
    "training/builder",
    "training/sources",
    "training/encode_audio.py",
    "training/transformer/items.py",
    "training/pairs/pair.py",
    "training/pairs/shards.py",
    "training/pairs/flac.py",
    *(
        f"d2m_core/{name}.py"
        for name in (
            "audio",
            "beat_confidence",
            "beat_tracking",
            "beats",
            "codec",
            "codec_files",
            "codec_stream",
            "motion",
            "motion_body",
            "pose",
            "pose_keypoints",
            "pose_track",
            "rhythm",
            "sound_file",
            "types",
            "video",
            "video_source",
        )
    ),
)


def origin_of(settings: ClipSettings, **more: Any) -> Origin:
    """The origin of clips that are made here and now; `more` are further settings."""
    return Origin({**plain(settings), **more}, _materials(settings), code(), versions_of(_PACKAGES))


def plain(settings: ClipSettings) -> dict[str, Any]:
    """All settings under their flags' names."""
    return {key: value for part in vars(settings).values() for key, value in asdict(part).items()}


def code() -> str:
    """A checksum of all source that decides what clips are like."""
    files: list[Path] = []
    for place in _CODE:
        path = ROOT / place
        files += [path] if path.is_file() else sorted(path.rglob("*.py"))
    return digest(*(path for path in files if path.exists()))[:16]


def _materials(settings: ClipSettings) -> dict[str, Any]:
    """Checksums of the weights."""
    how = settings.encoding
    codec = weights_folder(how.codec) if how.codec in EMBEDDED_FOLDERS else Path(how.codec)
    return {
        "codec": digest(codec) if codec.is_dir() else None,
        "pose_model": file_sha256(pose_model(settings.seeing.pose_model)),
        "rhythm": file_sha256(Path(how.rhythm)) if how.rhythm else None,
    }
