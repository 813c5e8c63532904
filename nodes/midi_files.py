"""Save MIDI and Load MIDI: notes and beats to and from other music programs."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io, ui

from ..d2m_core.midi import midi_notes, midi_sections, open_midi, rhythm_from_midi, save_midi
from ..d2m_core.midi.reading import MIDI_FORMATS
from ..d2m_core.pictures import piano_roll
from ..d2m_core.types import Rhythm
from . import host
from .checks import answer, never_the_same, refuse, said_by, too_small
from .midi_socket import midi_in
from .rhythm_outputs import rhythm_facts, rhythm_outputs, rhythm_texts, text_outputs
from .sockets import CATEGORY, ClipRhythm, Midi, to_image
from .worker import in_worker

LONGEST_S = 24 * 3600.0


class SaveMidi(io.ComfyNode):
    """Writes MIDI to ComfyUI's output folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_SaveMidi",
            display_name="Save MIDI",
            category=CATEGORY,
            **host.found_by("midi", "export midi", "daw", "notes", "piano roll"),
            description="Saves MIDI to ComfyUI's output folder, for any music program, and shows its notes.",
            inputs=[
                Midi.Input("midi", tooltip="From Dance Band, Load MIDI, or another pack's node."),
                io.String.Input(
                    "filename_prefix",
                    default="midi/dance",
                    tooltip="Name or subfolder/name in the output folder; a number is added.",
                ),
            ],
            outputs=[
                Midi.Output("saved_midi", display_name="MIDI", tooltip="The same MIDI."),
                io.Image.Output("picture", display_name="picture", tooltip="What the node shows."),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, midi: Any, filename_prefix: str) -> io.NodeOutput:
        refuse(cls.validate_inputs(filename_prefix))
        file = midi_in(midi)
        path, shown = host.output_file(filename_prefix, ".mid")
        in_worker(lambda _tick: save_midi(file, path))
        picture = in_worker(lambda _tick: to_image(_roll(file)))
        where = f"{shown.subfolder}/{shown.filename}".lstrip("/")
        seen = (
            ui.PreviewImage(picture, cls=cls).as_dict() | ui.PreviewText(f"Saved as output/{where}").as_dict()
        )
        return io.NodeOutput(file, picture, ui=seen | {"midi": [shown]})

    @classmethod
    def validate_inputs(cls, filename_prefix: str | None = None) -> bool | str:
        return answer(said_by(host.check_output, filename_prefix))


def _roll(file: Any, rhythm: Rhythm | None = None) -> Any:
    """A picture of a file's notes over its beats."""
    return piano_roll(midi_notes(file), rhythm or rhythm_from_midi(file), midi_sections(file), title="MIDI")


class LoadMidi(io.ComfyNode):
    """Reads a MIDI file, as notes and as a rhythm."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_LoadMidi",
            display_name="Load MIDI",
            category=CATEGORY,
            **host.keeps_preview(),
            **host.found_by("midi", "import midi", "tempo map", "rhythm from midi", "mid file"),
            description="Opens a MIDI file as a rhythm: its tempo map and bars, or the beats of its notes.",
            inputs=[
                io.Combo.Input(
                    "file",
                    options=host.input_files(MIDI_FORMATS) or [""],
                    upload=io.UploadType.audio,
                    tooltip="A .mid or .midi file in ComfyUI's input folder.",
                ),
                io.String.Input(
                    "path",
                    default="",
                    tooltip="Instead of file: a path inside ComfyUI's input, output or temp folder.",
                ),
                io.Float.Input(
                    "seconds",
                    default=0.0,
                    min=0.0,
                    max=LONGEST_S,
                    step=0.01,
                    tooltip="Length of the rhythm, such as the clip's; 0 takes the file's.",
                ),
            ],
            outputs=[
                *rhythm_outputs(),
                Midi.Output("midi", display_name="MIDI", tooltip="The file, for Save MIDI and other packs."),
                *text_outputs(),
            ],
        )

    @classmethod
    def execute(cls, file: str, path: str, seconds: float) -> io.NodeOutput:
        refuse(answer(too_small("seconds", seconds, 0)))
        where = host.media_path(path or file)

        def read(tick) -> tuple[tuple, Any]:
            midi = open_midi(where)
            rhythm = rhythm_from_midi(midi, seconds or None, tick)
            facts = rhythm_facts(ClipRhythm(rhythm, seconds or rhythm.duration_s), where.stem)
            return (*facts, midi, *rhythm_texts(rhythm)), to_image(_roll(midi, rhythm))

        facts, picture = in_worker(read)
        return io.NodeOutput(*facts, ui=ui.PreviewImage(picture, cls=cls))

    @classmethod
    def validate_inputs(cls, file: str | None = None, path: str | None = None) -> bool | str:
        return answer(said_by(host.media_path, path if path != "" else file))

    @classmethod
    def fingerprint_inputs(cls, file: str | None = None, path: str | None = None, **_more: object) -> str:
        chosen = path if path != "" else file
        return never_the_same() if chosen is None else host.file_stamp(host.media_path(chosen))
