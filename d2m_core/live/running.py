"""A run of `python -m d2m_core.live`, from flags to sound and files."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from ..band import find_instruments
from ..errors import D2MError, PoseError, SettingError, require
from ..media import iter_frames, open_clip
from ..music import prepare
from ..pipeline import load_models
from ..pose.model_file import model_folder
from ..rhythm import load_rhythm
from ..sync import Outputs, senders_of
from ..types import MOTION_FPS, VideoClip
from ..weights import default_weights
from .calibrate import CLICKS, EVERY_S, Calibration
from .eyes import MAX_HEIGHT, Eyes, open_eyes
from .flags import PLAYERS
from .player import MakePlayer
from .record import check_recorded, recording
from .rehearsal import Sight, rehearse
from .session import BLOCK, RATE, LiveSettings, Session
from .sinks import Loudspeakers, Silence, Sink, closing_sink, import_sounddevice
from .sources import Camera, Film
from .stage import Report, Stage
from .telling import Teller
from .transformer import transformer
from .window import open_window

_log = logging.getLogger(__name__)

_STAND = "let somebody dance for ten seconds or more, the whole body in the picture."

Say = Callable[[str], None]


def main_of(args: argparse.Namespace) -> int:
    """What the command does with parsed flags: its exit status."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        perform(args, _silent if args.quiet else _told)
    except D2MError as error:
        sys.stderr.write("".join(f"error: {line}\n" for line in str(error).split("\n")))
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return 130
    return 0


def _told(text: str) -> None:
    sys.stderr.write(text + "\n")


def _silent(_text: str) -> None:
    pass


def perform(args: argparse.Namespace, say: Say) -> None:
    """Runs the session that parsed `args` ask for. Raises `D2MError`."""
    settings = LiveSettings(args.style, args.seed, args.key, args.latency_ms)
    if args.fast and (args.video is None or args.record is None):
        raise SettingError(
            "--fast needs --video and --record: there is nobody to wait for, and a file to write."
        )
    require(
        args.seconds is None or args.seconds > 0,
        f"--seconds is {args.seconds}; use more than 0, or leave it out.",
    )
    if args.player == PLAYERS[0] and (args.model or args.codec):
        raise SettingError("--model and --codec are of music that a model writes; add --player transformer.")
    if args.calibrate:
        _calibrate(args, say)
        return
    clip = None if args.video is None else open_clip(args.video, duration_s=args.seconds)
    if args.record is not None:
        check_recorded(args.record)
    if clip is None and not args.mute:
        import_sounddevice()  # before seconds of loading
    materials = find_instruments(model_folder())
    net = load_rhythm(default_weights("rhythm"))
    with ExitStack() as stack:
        eyes = stack.enter_context(open_eyes())
        if args.fast:
            assert clip is not None
            session = Session(net, materials, settings, player=_player(args, settings, None))
            _fast(session, clip, eyes, args.record, say)
            return
        helper = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="d2m-band"))
        senders = senders_of(midi=args.midi, notes=args.midi_notes, osc=args.osc, link=args.link)
        teller = Teller(lambda message: outputs.send(message))
        tell = teller.tell if senders else None
        player = _player(args, settings, helper)
        session = Session(net, materials, settings, helper=helper, tell=tell, player=player)
        session.warm_up()
        source = Camera(args.camera) if clip is None else Film(clip)
        session.until_s = (args.seconds or np.inf) if clip is None else clip.duration_s
        kept = stack.enter_context(recording(args.record, RATE, clip))
        window = stack.enter_context(open_window(session, not args.no_window))
        sink = stack.enter_context(closing_sink(lambda: _sink(args)))
        stage = Stage(session, source, eyes, sink, kept.heard, kept.seen)
        outputs = stack.enter_context(Outputs(senders, lambda: stage.seconds))
        watch = _Watch(say, args.seconds, window.look if window else None)
        report = stage.run(watch.look)
    say(in_words(report, args.record))
    if not session.played:
        _log.warning("The band never began; %s", _STAND)


def _player(args: argparse.Namespace, settings: LiveSettings, helper: Executor | None) -> MakePlayer | None:
    """Who plays, where that is not the band. Raises `D2MError`."""
    if args.player == PLAYERS[0]:
        return None
    models = load_models(args.model, args.codec, device="cpu")
    prepare()
    return transformer(models.model, models.codec, settings, helper)


class _Watch:
    """Says who is followed, ends in time, and looks after the window."""

    def __init__(self, say: Say, seconds: float | None, look: Callable[[Stage], bool] | None) -> None:
        self._say, self._look, self._told = say, look, ""
        self._left = np.inf if seconds is None else seconds

    def look(self, stage: Stage) -> bool:
        """False to end."""
        if stage.note != self._told:
            self._told = stage.note
            self._say(stage.note)
        going = self._look is None or self._look(stage)
        return going and stage.seconds < self._left


def _sink(args: argparse.Namespace) -> Sink:
    if args.mute:
        return Silence(RATE)
    device = int(args.device) if args.device and args.device.isdigit() else args.device
    return Loudspeakers(RATE, BLOCK, device)


def _calibrate(args: argparse.Namespace, say: Say) -> None:
    """Finds what `--latency-ms` should be."""
    if args.camera is None:
        raise SettingError("--calibrate needs --camera: you clap before it.")
    calibration = Calibration()
    with open_eyes() as eyes, closing_sink(lambda: _sink(args)) as sink:
        say("Clap with the clicks, once a second, with large movements.")
        length_s = EVERY_S * (CLICKS + 2)
        Stage(calibration, Camera(args.camera), eyes, sink).run(lambda stage: stage.seconds < length_s)
    say(f"--latency-ms {calibration.latency_ms():.0f}")


def _fast(session: Session, clip: VideoClip, eyes: Eyes, path: Path, say: Say) -> None:
    """Plays to a clip without waiting for it."""
    from tqdm import tqdm

    session.until_s = clip.duration_s

    def sights() -> Iterator[Sight]:
        for frame in iter_frames(clip, MOTION_FPS, MAX_HEIGHT):
            yield frame.time_s, eyes.see(frame.rgb, frame.time_s)

    blocks = rehearse(session, sights(), clip.duration_s)
    with (
        recording(path, RATE, clip) as kept,
        tqdm(desc="playing", total=round(clip.duration_s), unit="s", disable=_bar_off(say)) as bar,
    ):
        assert kept.heard is not None
        for k, block in enumerate(blocks):
            kept.heard(k * BLOCK / RATE, block)
            bar.update(min(bar.total, int(k * BLOCK / RATE)) - bar.n)
        say(eyes.note)
        if not session.played:
            raise PoseError(f"The band found nothing to play to in {clip.path.name}; {_STAND}")
    say(f"written: {path}")


def _bar_off(say: Say) -> bool | None:
    """What tqdm is told: None shows its bar in a terminal alone."""
    return True if say is _silent else None


def in_words(report: Report, path: Path | None) -> str:
    """How a session went."""
    share = f"{report.cpu_share:.0%} of one core"
    text = (
        f"{report.seconds:.0f} s, {report.looked_at} of {report.pictures} pictures looked at, "
        f"{report.drops} gaps in the sound, {share}"
    )
    return text if path is None else f"{text}\nwritten: {path}"
