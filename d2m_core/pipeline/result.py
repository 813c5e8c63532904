"""What the chain made, as a file."""

from __future__ import annotations

from pathlib import Path

from ..media import save_audio
from ..media.kept import never_lost
from ..media.mux import VIDEO_FORMATS, mux
from ..media.sound import with_own_sound
from .reading import DanceMusic


def write_result(
    result: DanceMusic,
    out: Path | str,
    keep_original_audio: float = 0.0,
    metadata: dict[str, str] | None = None,
    recode: str = "auto",
) -> Path:
    """Writes the clip with its music (video suffix) or the music alone (audio suffix) to `out`.

    `keep_original_audio` is the gain of the clip's own sound under the music, 0..1; `recode` is one
    of `RECODE`. Where `out` cannot be written the music is kept, and the `MediaError` says where.
    """
    out = Path(out)
    audio = result.audio
    with never_lost(audio, out):
        if out.suffix.lower() in VIDEO_FORMATS:
            return mux(result.clip, audio, out, keep_original_audio, recode=recode)
        if keep_original_audio:
            mixed = with_own_sound(audio, result.clip, keep_original_audio)
            return save_audio(mixed, out, metadata)
        return save_audio(audio, out, metadata)
