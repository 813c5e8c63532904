"""What decides a data set beside its recordings: noted when it is begun, compared ever after."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from d2m_core.pose import pose_model
from d2m_core.weights import EMBEDDED_FOLDERS, weights_folder
from training.pairs.manifest import Origin
from training.run.provenance import code_of, digest, file_sha256, versions_of
from training.sources.splits import assign_splits

from .packing import pack
from .settings import ClipSettings
from .work import work

_PACKAGES = (
    *"av librosa mediapipe numpy opencv-contrib-python".split(),
    *"safetensors scipy torch torchaudio transformers".split(),
)


def origin_of(settings: ClipSettings, **more: Any) -> Origin:
    """The origin of clips that are made here and now; `more` are further settings."""
    code = code_of(work, assign_splits, pack)  # what one finds in a shard, and in which
    return Origin({**plain(settings), **more}, _materials(settings), code, versions_of(_PACKAGES))


def plain(settings: ClipSettings) -> dict[str, Any]:
    """All settings under their flags' names."""
    return {key: value for part in vars(settings).values() for key, value in asdict(part).items()}


def _materials(settings: ClipSettings) -> dict[str, Any]:
    """Checksums of the weights."""
    how = settings.encoding
    codec = weights_folder(how.codec) if how.codec in EMBEDDED_FOLDERS else Path(how.codec)
    return {
        "codec": digest(codec) if codec.is_dir() else None,
        "pose_model": file_sha256(pose_model(settings.seeing.pose_model)),
        "rhythm": file_sha256(Path(how.rhythm)) if how.rhythm else None,
    }
