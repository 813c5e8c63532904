"""Export Beats: when the beats fall, for editors, music programs and models that want clicks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from comfy_api.latest import io, ui

from ..d2m_core.export import FRAME_RATES, BeatSheet, click_track, export_beats
from ..d2m_core.export.writing import START
from ..d2m_core.midi import midi_sections
from . import host
from .checks import answer, not_offered, refuse, said_by
from .midi_socket import midi_in, seen_accents
from .sockets import CATEGORY, Clip, ClipPoses, ClipRhythm, Midi, Poses, RhythmSocket
from .sound_socket import to_audio
from .video_socket import clip_of
from .worker import in_worker

FORMATS = {
    "csv table": ".csv",
    "Audacity labels": ".txt",
    "MIDI tempo map": ".mid",
    "click track": ".wav",
    "OTIO markers": ".otio",
    "FCPXML markers": ".fcpxml",
    "EDL markers": ".edl",
}
"""What is written, and how the file's name ends."""

OWN_RATE = "the clip's"


def _form_inputs() -> list[Any]:
    """What is written, and where."""
    return [
        io.Combo.Input(
            "format",
            options=list(FORMATS),
            default="OTIO markers",
            tooltip="OTIO for Resolve and other editors, FCPXML for Final Cut Pro and Resolve, EDL for "
            "Resolve.",
        ),
        io.String.Input(
            "filename_prefix",
            default="beats/dance",
            tooltip="Name or subfolder/name in the output folder; a number is added.",
        ),
        io.Combo.Input(
            "frame_rate",
            options=[OWN_RATE, *FRAME_RATES],
            default=OWN_RATE,
            tooltip="Frames per second of the editor's timeline; the clip's own needs video, else it is 25.",
        ),
        io.String.Input(
            "start_timecode", default=START, tooltip="Timecode at which the editor's timeline starts."
        ),
        io.Boolean.Input(
            "every_beat", default=False, tooltip="Markers on all beats; else only where bars start."
        ),
    ]


class ExportBeats(io.ComfyNode):
    """Writes beats, bars, accents and sections in the form of another program."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_ExportBeats",
            display_name="Export Beats",
            category=CATEGORY,
            **host.found_by(
                *("beat markers", "edl", "otio", "fcpxml", "davinci resolve", "premiere", "final cut"),
                *("metronome", "click track", "tempo map", "cut on the beat"),
            ),
            description="Saves beats, bars, accents and sections as markers for an editor, a table, labels, "
            "a tempo map or a click track; gives the clicks as AUDIO.",
            inputs=[
                RhythmSocket.Input("rhythm", tooltip="The beats and bars."),
                *_form_inputs(),
                io.MultiType.Input(
                    "video",
                    types=[io.Video, Clip],
                    optional=True,
                    tooltip="The clip: gives its frame rate, and lies on the editor's timeline.",
                ),
                Poses.Input("poses", optional=True, tooltip="The dancer: adds accents as seen."),
                Midi.Input("midi", optional=True, tooltip="From Dance Band: adds the sections of its music."),
            ],
            outputs=[
                io.Audio.Output(
                    "clicks",
                    display_name="clicks",
                    tooltip="A click on every beat, louder where a bar starts, 48 kHz.",
                ),
                io.String.Output("file", display_name="file", tooltip="Where the file lies."),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls,
        rhythm: ClipRhythm,
        format: str,
        filename_prefix: str,
        frame_rate: str,
        start_timecode: str,
        every_beat: bool,
        video: Any = None,
        poses: ClipPoses | None = None,
        midi: Any = None,
    ) -> io.NodeOutput:
        refuse(cls.validate_inputs(format, filename_prefix, frame_rate))
        sections = () if midi is None else midi_sections(midi_in(midi))
        sheet = BeatSheet(
            rhythm.rhythm,
            rhythm.duration_s,
            sections=sections,
            clip=None if video is None else clip_of(video),
            rate=FRAME_RATES.get(frame_rate),
            start=start_timecode,
            every_beat=every_beat,
        )
        sheet.frame_rate.frame_of(start_timecode)  # said before any work
        path, shown = host.output_file(filename_prefix, FORMATS[format])

        def write(_tick: object) -> Any:
            export_beats(_with_accents(sheet, poses), path)
            return click_track(rhythm.rhythm, rhythm.duration_s)

        clicks = in_worker(write)
        told = (
            f"{len(rhythm.rhythm.beats_s)} beats, {sheet.frame_rate.name} frames per second\nSaved as {path}"
        )
        return io.NodeOutput(
            to_audio(clicks), str(path), ui=ui.PreviewText(told).as_dict() | {"beats": [shown]}
        )

    @classmethod
    def validate_inputs(
        cls, format: str | None = None, filename_prefix: str | None = None, frame_rate: str | None = None
    ) -> bool | str:
        return answer(
            not_offered("Format", format, FORMATS),
            not_offered("Frame rate", frame_rate, (OWN_RATE, *FRAME_RATES)),
            said_by(host.check_output, filename_prefix),
        )


def _with_accents(sheet: BeatSheet, poses: ClipPoses | None) -> BeatSheet:
    return sheet if poses is None else replace(sheet, accents=seen_accents(poses))
