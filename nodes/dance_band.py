"""Dance Band: a band by program plays the dance, and gives every part of it."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io, ui

from ..d2m_core.band import PLAYERS, STEMS, BandTake, Materials, find_instruments, play_band
from ..d2m_core.band.harmony import KEYS
from ..d2m_core.band.instruments import fonts_in
from ..d2m_core.errors import SettingError
from ..d2m_core.media import fit_length
from ..d2m_core.midi import band_midi
from ..d2m_core.motion import dance_motion
from ..d2m_core.pictures import piano_roll
from ..d2m_core.styles import STYLES
from ..d2m_core.types import Progress
from . import host
from .checks import answer, not_offered, refuse
from .midi_socket import seen_accents
from .sampler import seed_input
from .sockets import CATEGORY, ClipPoses, ClipRhythm, Midi, Poses, RhythmSocket, to_image
from .sound_socket import to_audio
from .worker import in_worker

ANY = "any"


def _music_inputs() -> list[Any]:
    """What is played."""
    return [
        io.Combo.Input(
            "style",
            options=[ANY, *STYLES],
            default=ANY,
            tooltip="any lets the seed choose among those that fit.",
        ),
        seed_input(),
        io.Combo.Input("key", options=[ANY, *KEYS], default=ANY, tooltip="any lets the seed choose."),
        io.Float.Input(
            "intensity",
            default=0.5,
            min=0.0,
            max=1.0,
            step=0.05,
            tooltip="0 calm and sparse, 1 wild and dense.",
        ),
        io.Float.Input(
            "humanise",
            default=0.5,
            min=0.0,
            max=1.0,
            step=0.05,
            tooltip="0 plays exactly on the grid, 1 as loosely as people do.",
        ),
    ]


def _player_inputs() -> list[Any]:
    """Who plays."""
    return [io.Boolean.Input(player, default=True, tooltip=PLAYED[player]) for player in PLAYERS]


PLAYED = {
    "drums": "Whether kick, snare, hats and cymbals play.",
    "bass": "Whether the bass plays.",
    "chords": "Whether chords, pads and horns play.",
    "lead": "Whether melodies and arpeggios play.",
    "percussion": "Whether congas, shakers, cowbells and the like play.",
}


def _instruments(download: bool, tick: Progress) -> Materials:
    """What the band plays with: a soundfont of the user's model folders, or one that a package installed;
    fetched where there is none, if that is allowed."""
    folders = host.model_folders()
    folder = next((folder for folder in folders if fonts_in(folder)), folders[0])
    return find_instruments(folder, download=download, on_progress=tick)


class DanceBand(io.ComfyNode):
    """Composes on the dance's beats and answers what one sees."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_DanceBand",
            display_name="Dance Band",
            category=CATEGORY,
            **host.keeps_preview(),
            **host.found_by(
                "music from dance", "stems", "midi", "drums", "bass", "backing track", "soundtrack"
            ),
            description="A band by program plays the dance in a moment, without a model: mix, stems, MIDI "
            "and chords. Accents become hits, stillness becomes stops.",
            inputs=[
                RhythmSocket.Input("rhythm", tooltip="The beats to play on, and how long."),
                *_music_inputs(),
                *_player_inputs(),
                Poses.Input("poses", optional=True, tooltip="Lets the band answer the movement too."),
                io.Boolean.Input(
                    "download",
                    **host.advanced(io.Boolean),
                    default=False,
                    optional=True,
                    tooltip="If there is no soundfont in models/dance2music, fetch MuseScore General from "
                    "its official address (38 MB, once). Played by `pip install symusic==0.5.9`; without "
                    "either the band plays its own synthesisers.",
                ),
            ],
            outputs=[
                io.Audio.Output("mix", display_name="mix", tooltip="All together, mastered, 48 kHz stereo."),
                *(
                    io.Audio.Output(
                        f"{stem}_stem", display_name=stem, tooltip=f"The {stem} alone, before mastering."
                    )
                    for stem in STEMS
                ),
                Midi.Output("midi", display_name="MIDI", tooltip="Every note, with tempo map and markers."),
                io.String.Output("chart", display_name="chords", tooltip="Key, form and chords in words."),
            ],
        )

    @classmethod
    def execute(
        cls,
        rhythm: ClipRhythm,
        style: str,
        seed: int,
        key: str,
        intensity: float,
        humanise: float,
        poses: ClipPoses | None = None,
        download: bool = False,
        **players: bool,
    ) -> io.NodeOutput:
        refuse(cls.validate_inputs(style, key))
        playing = tuple(player for player in PLAYERS if players.get(player, True))
        if not playing:
            raise SettingError("Nobody in the band plays; switch on at least one player.")

        def play(tick: Progress) -> tuple[BandTake, Any, Any]:
            motion = None if poses is None else dance_motion(poses.poses)
            take = play_band(
                rhythm.rhythm,
                motion,
                style,
                seed % 2**64,
                key=key,
                intensity=intensity,
                players=playing,
                humanise=humanise,
                instruments=_instruments(download, tick),
                on_progress=tick,
            )
            seen = () if poses is None else seen_accents(poses)
            midi = band_midi(take, rhythm.rhythm, rhythm.duration_s, seen)
            title = f"Dance Band: {take.plan.style}, {take.key}"
            return (
                take,
                midi,
                to_image(piano_roll(take.notes, rhythm.rhythm, take.sections, take.chords, title)),
            )

        take, midi, picture = in_worker(play)
        waves = [take.mix, *(take.stems[stem] for stem in STEMS)]
        sounds = [to_audio(fit_length(wave, rhythm.duration_s)) for wave in waves]
        shown = ui.PreviewImage(picture, cls=cls).as_dict() | ui.PreviewText(take.text).as_dict()
        return io.NodeOutput(*sounds, midi, take.text, ui=shown)

    @classmethod
    def validate_inputs(cls, style: str | None = None, key: str | None = None) -> bool | str:
        return answer(not_offered("Style", style, (ANY, *STYLES)), not_offered("Key", key, (ANY, *KEYS)))
