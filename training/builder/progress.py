"""How far a build is, while not even the number of clips is known."""

from __future__ import annotations

from types import TracebackType

from tqdm import tqdm


class Bar:
    """Clips done of those known and those expected; recordings not yet cut count as usual."""

    def __init__(self, recordings: int, shown: bool) -> None:
        self._uncut = recordings
        self._plans = self._clips = self._kept = self._dropped = 0
        self._shown = tqdm(
            total=recordings, desc="clips", unit="clip", disable=not shown, smoothing=0.05, dynamic_ncols=True
        )

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._show()
        self._shown.close()

    def cut(self, clips: int, failed: bool) -> None:
        """A recording gave so many clips, or failed."""
        self._uncut -= 1
        if failed:
            self._dropped += 1
        else:
            self._plans, self._clips = self._plans + 1, self._clips + clips
        self._show()

    def made(self, kept: bool) -> None:
        """A clip is done."""
        self._kept, self._dropped = self._kept + kept, self._dropped + (not kept)
        self._shown.update()
        self._show()

    def _show(self) -> None:
        usual = self._clips / self._plans if self._plans else 1.0
        self._shown.total = self._clips + round(self._uncut * usual)
        self._shown.set_postfix_str(
            f"{self._kept} kept, {self._dropped} dropped, {self._uncut} videos to cut"
            if self._uncut
            else f"{self._kept} kept, {self._dropped} dropped",
            refresh=False,
        )
