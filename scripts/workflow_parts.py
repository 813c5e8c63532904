"""What the example graphs are made of: nodes, groups, and the parts that several of them share.

A node says only what differs from its defaults. Node ids are the same in every graph for the same
part, so that graphs can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LOAD, POSE, RHYTHM, MODEL, SAMPLER, CODEC, DECODE, SAVE_AUDIO, NOTE, SAVE_VIDEO = range(1, 11)
EDIT, BEATS, SELECT, SONG, ALIGN, SCORE, CONTINUE = range(11, 18)
CHECKPOINT, SHIFT, LENGTH, WORDS, NO_WORDS, SILENCE, DIFFUSE, SOUND, PLAIN = range(20, 29)
BAND, MIDI, CHART, MARKERS, EDL, CLICKS, BAND_LATENT, TEXT_ENCODER, STEMS = range(30, 39)
"""The stems' ids follow each other."""
NETWORK, VAE, TOLD, LYRICS, PLANNED, TEMPO_LINE, SCORE_TEXT, FRAMES, SMALLER, FOUND, LOOKED = range(50, 61)
CLAPS, CLAPPED = range(61, 63)
"""Of the graphs in `workflow_models`; `NETWORK` is a diffusion model, `TOLD` the words for it."""
EDITED, REPAIRED = 70, 71

PICTURE = 260
"""Height that a node's picture, film or player of several lines takes below its widgets."""
BEAT_EDITOR = 160
"""Height of the beat editor, which the page adds to Edit Rhythm."""

BLUE, GREEN, BROWN, VIOLET = "#3f789e", "#8A8", "#b06634", "#a1309b"
"""Colours of groups: the dance, the music, the result, another model."""


@dataclass(frozen=True)
class ModelFile:
    """A file that a loader needs; the page offers to fetch it."""

    name: str
    url: str
    directory: str
    """Folder of ComfyUI's `models`."""


def hosted(repository: str, *paths: str) -> tuple[ModelFile, ...]:
    """Files that ComfyUI's makers host, at the addresses that their own templates name."""
    start = f"https://huggingface.co/Comfy-Org/{repository}/resolve/main/"
    parts = [path.split("/") for path in paths]
    return tuple(ModelFile(part[-1], start + "/".join(part), part[-2]) for part in parts)


@dataclass(frozen=True)
class Node:
    """One node; `links` maps an input to (node id, output number)."""

    id: int
    type: str
    links: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    below: int = 0
    """Height kept free under the widgets, for what the node shows."""
    title: str = ""
    models: tuple[ModelFile, ...] = ()


@dataclass(frozen=True)
class App:
    """What a workflow shows where it is opened as an app: a form, and what comes of it."""

    inputs: tuple[tuple[int, str], ...]
    """Node id and widget, in order."""
    outputs: tuple[int, ...]
    """Nodes whose film, player or picture is shown."""


@dataclass(frozen=True)
class Group:
    """A coloured frame around columns of nodes, each with its width."""

    title: str
    color: str
    columns: tuple[tuple[int, tuple[Node, ...]], ...]


@dataclass(frozen=True)
class Graph:
    """An example workflow."""

    name: str
    """Its name in the list of templates."""
    api_name: str
    """Its file in `workflows/api`."""
    uuid: str
    note: str
    rows: tuple[tuple[Group, ...], ...]
    """Groups from left to right, row under row; the note stands left of the first."""
    app: App | None = None
    """For the graphs that open as an app; the page knows them by a name that ends in .app."""

    @property
    def nodes(self) -> list[Node]:
        return [node for row in self.rows for group in row for _, column in group.columns for node in column]


def load(**values: Any) -> Node:
    return Node(LOAD, "D2M_LoadVideo", values={"file": "", **values}, below=PICTURE)


def pose(**values: Any) -> Node:
    changed = {"download": True, **values}
    return Node(POSE, "D2M_PoseEstimate", {"video": (LOAD, 0)}, changed, below=PICTURE)


def rhythm(poses: tuple[int, int] = (POSE, 0)) -> Node:
    return Node(RHYTHM, "D2M_DanceRhythm", {"poses": poses}, below=PICTURE)


def sampler(beats: int = RHYTHM, poses: tuple[int, int] = (POSE, 0), **values: Any) -> Node:
    links = {"model": (MODEL, 0), "rhythm": (beats, 0), "poses": poses}
    return Node(SAMPLER, "D2M_Sampler", links, values)


def loaders() -> tuple[Node, Node]:
    model = Node(MODEL, "D2M_LoadModel")
    return model, Node(CODEC, "D2M_LoadCodec")


def decode(tokens: int = SAMPLER) -> Node:
    return Node(DECODE, "D2M_EnCodecDecode", {"tokens": (tokens, 0), "codec": (CODEC, 0)})


def result(audio: int, *more: Node) -> Group:
    """The player, the film with its music, and what else belongs there."""
    film = {"video": (LOAD, 0), "audio": (audio, 0)}
    column = (
        Node(SAVE_AUDIO, "D2M_SaveAudio", {"audio": (audio, 0)}),
        Node(SAVE_VIDEO, "D2M_SaveVideo", film, below=PICTURE),
    )
    columns = [(360, column)]
    if more:
        columns.append((460, more))
    return Group("The result", BROWN, tuple(columns))


def dance(*columns: tuple[int, tuple[Node, ...]]) -> Group:
    """Whose films and pictures show what was found in the clip."""
    return Group("The dance", BLUE, columns)


def music(*columns: tuple[int, tuple[Node, ...]]) -> Group:
    return Group("The music", GREEN, columns)


def written_music(written: Node, *more: Node) -> Group:
    """Our own model: loaders, samplers and the decoder of the last one's tokens."""
    samplers = (written, *more)
    return music((300, loaders()), (340, samplers), (260, (decode(samplers[-1].id),)))


def plain_dance() -> Group:
    """One dancer, the rhythm as it is found."""
    return dance((340, (load(),)), (360, (pose(),)), (520, (rhythm(),)))


def align(audio: int, **values: Any) -> Node:
    """Bends music to the dance."""
    links = {"audio": (audio, 0), "rhythm": (RHYTHM, 0)}
    return Node(ALIGN, "D2M_AlignAudio", links, values, below=140)


def score(audio: int) -> Node:
    """Says how well music fits the dance."""
    links = {"audio": (audio, 0), "rhythm": (RHYTHM, 0), "poses": (POSE, 0)}
    return Node(SCORE, "D2M_ScoreMusic", links, below=PICTURE + 200)


def told(text: str, delimiter: str = ", ") -> Node:
    """What a model is told: words of the artist's, then the dance in words."""
    links = {"string_b": (RHYTHM, 8)}
    values = {"string_a": text, "delimiter": delimiter}
    return Node(TOLD, "StringConcatenate", links, values, below=120, title="Your words, then the dance's")


def heard(vae: tuple[int, int]) -> tuple[Node, Node]:
    """What a diffusion model made, as sound and in a player."""
    return (
        Node(SOUND, "VAEDecodeAudio", {"samples": (DIFFUSE, 0), "vae": vae}),
        Node(PLAIN, "PreviewAudio", {"audio": (SOUND, 0)}, title="The music as made", below=60),
    )


def song_length(seconds: float) -> Node:
    """How long a model's song is."""
    values = {"value": seconds}
    return Node(LENGTH, "PrimitiveFloat", values=values, title="Length of the song (seconds)")


def aligned() -> Group:
    """The model's music, bent to the dance."""
    return Group("Aligned", GREEN, ((360, (align(SOUND),)),))


def band(**values: Any) -> Node:
    """A band by program, on the dance."""
    links = {"rhythm": (RHYTHM, 0), "poses": (POSE, 0)}
    return Node(BAND, "D2M_DanceBand", links, values, below=PICTURE + 100)
