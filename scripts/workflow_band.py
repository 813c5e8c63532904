"""The example graphs of the band: its stems and MIDI, markers for an editor, and the band as conductor.

The conducted models are wired and set as the templates `audio_ace_step_1_5_checkpoint` and
`audio_stable_audio_3_medium` of Comfy-Org/workflow_templates, but that they begin with the band's
sound, as `audio_ace_step_1_m2m_editing` there begins with a song.
"""

from __future__ import annotations

from scripts.workflow_ace_step import ACE_STEP_MODEL
from scripts.workflow_parts import (
    ALIGN,
    BAND,
    BAND_LATENT,
    CHART,
    CHECKPOINT,
    CLICKS,
    DIFFUSE,
    EDL,
    GREEN,
    LOAD,
    MARKERS,
    MIDI,
    NO_WORDS,
    PICTURE,
    POSE,
    RHYTHM,
    SAVE_VIDEO,
    SHIFT,
    SOUND,
    STEMS,
    TEXT_ENCODER,
    TOLD,
    VIOLET,
    WORDS,
    App,
    Graph,
    Group,
    Node,
    align,
    band,
    heard,
    hosted,
    music,
    plain_dance,
    result,
    score,
    told,
)

_STEM_NAMES = ("drums", "bass", "harmony", "melody", "effects")

_SAVED_STEMS = tuple(
    Node(
        STEMS + index,
        "D2M_SaveAudio",
        {"audio": (BAND, index + 1)},
        {"filename_prefix": f"audio/dance_{stem}", "format": "wav"},
        title=f"Save {stem}",
    )
    for index, stem in enumerate(_STEM_NAMES)
)
_MIDI = Node(MIDI, "D2M_SaveMidi", {"midi": (BAND, 6)}, below=PICTURE)
_CHART = Node(CHART, "PreviewAny", {"source": (BAND, 7)}, below=160, title="Chords and form")

STEMS_AND_MIDI = Graph(
    "Dance to Music - band, stems and MIDI",
    "band_stems_midi",
    "2b9f6c57-0a41-4d0c-8a54-6f0c5b0d8e31",
    """# A band plays the dance, and gives you every part

**Dance Band** composes on the dancer's beats in a moment, without a model: accents become hits, \
stillness becomes stops. The mix goes under the film; the stems, the MIDI and the chords are for \
your music program.

**What to change**

- `style`, `key`, `intensity`, and who plays. Another `seed` is another piece.
- `humanise`: 0 plays exactly on the grid.
- Beats off? Set `tempo_bpm`, `grid` or `shift (ms)` in **Dance Rhythm**.

**In your music program** import the `.mid` file of **Save MIDI** with its tempo: bars and beats \
are then the dance's, and the stems lie right from the start. All files are in ComfyUI's output \
folder, under `audio/`, `midi/` and `video/`.""",
    (
        (plain_dance(), music((360, (band(),)))),
        (
            result(BAND, score(BAND)),
            Group("For your music program", VIOLET, ((460, (_MIDI, _CHART)), (340, _SAVED_STEMS))),
        ),
    ),
)

BAND_APP = Graph(
    "Dance to Music - band.app",
    "band_app",
    "4d7e2b95-8f13-4c6a-9b20-5a1c3e8d7f46",
    """# The band, as an app

Choose a clip, press **Run**, watch the film in **Save Dance Video**. A band plays, without a model: \
the clearest sound, in a moment.

**What to change**

- `seed`: another piece. `style`: another kind of it. `intensity`: calm to wild.
- `tempo_bpm`: locks the tempo where the one found is not what you mean; 0 finds it.

Stems, MIDI and chords are in the graph behind this page: *Dance to Music - band, stems and MIDI* \
explains it.""",
    ((plain_dance(), music((360, (band(),)))), (result(BAND),)),
    App(
        ((LOAD, "file"), (BAND, "style"), (BAND, "seed"), (BAND, "intensity"), (RHYTHM, "tempo_bpm")),
        (SAVE_VIDEO,),
    ),
)

_MARKED = {"rhythm": (RHYTHM, 0), "video": (LOAD, 0), "poses": (POSE, 0)}
_FOR_EDITORS = (
    Node(MARKERS, "D2M_ExportBeats", _MARKED, {"format": "OTIO markers"}, below=80, title="Markers (OTIO)"),
    Node(EDL, "D2M_ExportBeats", _MARKED, {"format": "EDL markers"}, below=80, title="Markers (EDL)"),
    Node(
        CLICKS,
        "D2M_ExportBeats",
        {"rhythm": (RHYTHM, 0)},
        {"format": "click track"},
        below=80,
        title="Clicks",
    ),
)
MARKERS_FOR_EDITORS = Graph(
    "Dance to Music - markers for my editor",
    "editor_markers",
    "8c1e4a90-5d6b-4f2a-b0de-93a1f7c2d465",
    """# Cut on the beat: markers for your editor

**Export Beats** writes the dance's bars and accents as markers, each on the nearest frame of your \
clip: downbeats red, accents yellow.

1. Upload the clip in **Load Dance Video**, press **Run**.
2. Watch **Save Dance Video**: clicks show whether the beats are right.
3. Open `beats/dance_….otio` in your editor; in DaVinci Resolve the `.edl` too, by *Timelines > \
Import > Timeline Markers from EDL*.

**What to change**

- `format`: FCPXML for Final Cut Pro, csv, Audacity labels, a MIDI tempo map.
- `frame_rate` where the timeline has another one than the clip; `start_timecode` where it does \
not start at one hour.
- `every_beat`: markers on all beats.
- Beats off? `tempo_bpm`, `grid` or `shift (ms)` in **Dance Rhythm**.""",
    ((plain_dance(),), (Group("For your editor", VIOLET, ((400, _FOR_EDITORS),)), result(CLICKS))),
)

# --- the band as conductor ---

_LEAD = music((360, (band(key="A minor", style="house"),)))
_TAGS = "energetic house, punchy four on the floor drums, warm bass, bright synths, wide clean mix"
_FROM_BAND = Node(
    BAND_LATENT, "VAEEncodeAudio", {"audio": (BAND, 0), "vae": (CHECKPOINT, 2)}, title="The band as a start"
)
_HEARD = heard((CHECKPOINT, 2))
_ALIGNED = align(SOUND, start="beginning", loop=False)
"""It begins with the clip already."""
_NOTE_DENOISE = """\
- `denoise` in **KSampler**: lower keeps more of the band, higher is freer; near 1 beats get lost.
- The band leads: its `style`, `seed` and `intensity` shape the music too."""


def _drawn(model: tuple[int, int], sampler_name: str, denoise: float) -> Node:
    links = {
        "model": model,
        "positive": (WORDS, 0),
        "negative": (NO_WORDS, 0),
        "latent_image": (BAND_LATENT, 0),
    }
    values = {"steps": 8, "cfg": 1.0, "sampler_name": sampler_name, "scheduler": "simple", "denoise": denoise}
    return Node(DIFFUSE, "KSampler", links, values)


_ACE_LOADED = (
    Node(
        CHECKPOINT,
        "CheckpointLoaderSimple",
        values={"ckpt_name": ACE_STEP_MODEL.name},
        models=(ACE_STEP_MODEL,),
    ),
    Node(SHIFT, "ModelSamplingAuraFlow", {"model": (CHECKPOINT, 0)}, {"shift": 3.0}),
    _FROM_BAND,
)
_ACE_TOLD = (
    Node(
        WORDS,
        "TextEncodeAceStepAudio1.5",
        {"clip": (CHECKPOINT, 1), "bpm": (RHYTHM, 3), "timesignature": (RHYTHM, 5), "duration": (LOAD, 2)},
        {
            "tags": _TAGS,
            "lyrics": "[Instrumental]",
            "language": "en",
            "keyscale": "A minor",
            "generate_audio_codes": False,
        },
        below=200,
    ),
    Node(NO_WORDS, "ConditioningZeroOut", {"conditioning": (WORDS, 0)}),
)
BAND_ACE_STEP = Graph(
    "Dance to Music - band conducts ACE-Step",
    "band_ace_step",
    "5e0d7c38-64b9-4b1c-9a6f-1cf2a8d03b77",
    """# ACE-Step 1.5 plays what the band leads

**Dance Band** plays the dance; ACE-Step begins with the band's sound instead of noise alone, so \
its music keeps the band's beats, hits and stops. **Align Audio to Dance** then brings beat to \
beat, **Score Dance Music** says how well it fits.

**You need** a ComfyUI with the ACE-Step 1.5 nodes (if frames are red, update ComfyUI), the model \
`ace_step_1.5_turbo_aio.safetensors` in `models/checkpoints` (the page offers to download it), and \
a clip of 10 seconds or more.

**What to change**

- `tags`: what the music should be. `keyscale` should be the band's `key`.
"""
    + _NOTE_DENOISE,
    (
        (plain_dance(), _LEAD),
        (
            Group(
                "ACE-Step 1.5",
                VIOLET,
                ((340, _ACE_LOADED), (440, _ACE_TOLD), (340, (_drawn((SHIFT, 0), "euler", 0.65), *_HEARD))),
            ),
            Group("Aligned", GREEN, ((360, (_ALIGNED,)),)),
            result(ALIGN, score(ALIGN)),
        ),
    ),
)

_STABLE, _T5 = hosted(
    "stable-audio-3",
    "checkpoints/stable_audio_3_medium.safetensors",
    "text_encoders/t5gemma_b_b_ul2.safetensors",
)
_STABLE_LOADED = (
    Node(CHECKPOINT, "CheckpointLoaderSimple", values={"ckpt_name": _STABLE.name}, models=(_STABLE,)),
    Node(
        TEXT_ENCODER,
        "CLIPLoader",
        values={"clip_name": _T5.name, "type": "stable_audio", "device": "default"},
        models=(_T5,),
    ),
    _FROM_BAND,
)
_STABLE_TOLD = (
    told("House track with punchy four on the floor drums, warm bass, bright synth stabs and claps"),
    Node(WORDS, "CLIPTextEncode", {"clip": (TEXT_ENCODER, 0), "text": (TOLD, 0)}, below=70),
    Node(NO_WORDS, "CLIPTextEncode", {"clip": (TEXT_ENCODER, 0)}, {"text": ""}, below=60, title="Not this"),
)
BAND_STABLE_AUDIO = Graph(
    "Dance to Music - band conducts Stable Audio 3",
    "band_stable_audio",
    "c7f38e12-9b05-47d4-86ac-e2d94b6a1f08",
    """# Stable Audio 3 plays what the band leads

**Dance Band** plays the dance; Stable Audio begins with the band's sound instead of noise alone \
(audio to audio), so its music keeps the band's beats, hits and stops. **Align Audio to Dance** \
then brings beat to beat, **Score Dance Music** says how well it fits.

**You need** a ComfyUI that knows Stable Audio 3, the models `stable_audio_3_medium.safetensors` \
in `models/checkpoints` and `t5gemma_b_b_ul2.safetensors` in `models/text_encoders`; the page offers \
to download them. Their licence is Stability AI's community licence.

**What to change**

- The first words of **Your words, then the dance's**: what the music should be. Tempo, metre and \
energy follow by themselves: they are the `caption` of **Dance Rhythm**.
"""
    + _NOTE_DENOISE,
    (
        (plain_dance(), _LEAD),
        (
            Group(
                "Stable Audio 3",
                VIOLET,
                (
                    (340, _STABLE_LOADED),
                    (400, _STABLE_TOLD),
                    (340, (_drawn((CHECKPOINT, 0), "lcm", 0.7), *_HEARD)),
                ),
            ),
            Group("Aligned", GREEN, ((360, (_ALIGNED,)),)),
            result(ALIGN, score(ALIGN)),
        ),
    ),
)

CONDUCTED = {BAND_ACE_STEP.api_name: "ACE-Step 1.5", BAND_STABLE_AUDIO.api_name: "Stable Audio 3"}
"""Graphs that the band leads, and the model that it leads."""

BAND_GRAPHS = (BAND_APP, STEMS_AND_MIDI, MARKERS_FOR_EDITORS, BAND_ACE_STEP, BAND_STABLE_AUDIO)
