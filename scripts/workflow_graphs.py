"""The example graphs: which nodes, how they are wired, what they are set to, where they lie.

`make_workflows.py` turns them into the files in `workflows/`.
"""

from __future__ import annotations

from scripts.workflow_ace_step import ACE_STEP
from scripts.workflow_band import BAND_GRAPHS, CONDUCTED
from scripts.workflow_dancer import NEW_DANCER
from scripts.workflow_edits import EDIT_PIECE
from scripts.workflow_models import MODEL_GRAPHS, NEEDS_GPU, TOLD_MODELS
from scripts.workflow_parts import (
    ALIGN,
    BEAT_EDITOR,
    BEATS,
    CONTINUE,
    DECODE,
    EDIT,
    LOAD,
    MODEL,
    PICTURE,
    POSE,
    RHYTHM,
    SAMPLER,
    SAVE_VIDEO,
    SELECT,
    SONG,
    App,
    Graph,
    Node,
    align,
    dance,
    load,
    music,
    plain_dance,
    pose,
    result,
    rhythm,
    sampler,
    score,
    written_music,
)

BASIC = Graph(
    "Dance to Music - basic",
    "basic",
    "6f1f5c0e-6a0b-4f2e-9d5c-0d2a1c3b4e5f",
    """# Dance to Music

1. Press *choose file to upload* in **Load Dance Video** and take a dance clip. One person, \
whole body in the picture, works best.
2. Press **Run**. The pose model (about 9 MB) is fetched once, because `download` is on in \
**Pose Estimate**.
3. Listen in **Save Audio**, watch in **Save Dance Video**. Both lie in ComfyUI's output folder.

**What to change**

- Other music: a new `seed` in the sampler (it changes by itself at every run), or a `style`.
- Beats off? Set `tempo_bpm`, `grid` or `shift (ms)` in **Dance Rhythm**.
- A part of the clip: `start_s` and `duration_s`.

Only what follows a change runs again.""",
    ((plain_dance(),), (written_music(sampler()), result(DECODE))),
)

APP = Graph(
    "Dance to Music.app",
    "app",
    "1b0d7c1e-52a4-4f0d-8a56-3d6f0f6f9c02",
    """# Dance to Music, as an app

Choose a clip, press **Run**, watch the film in **Save Dance Video**.

**What to change**

- `seed`: other music. `style`: another kind of it.
- `tempo_bpm`: locks the tempo where the one found is not what you mean; 0 finds it.

Everything else is in the graph behind this page: *Dance to Music - basic* explains it.""",
    ((plain_dance(),), (written_music(sampler()), result(DECODE))),
    App(
        ((LOAD, "file"), (SAMPLER, "style"), (SAMPLER, "seed"), (RHYTHM, "tempo_bpm")),
        (SAVE_VIDEO,),  # a page shows what comes first, and that would be the sound
    ),
)

_FOUND = (
    rhythm(),
    Node(BEATS, "PreviewAny", {"source": (RHYTHM, 6)}, below=160, title="Beats as text, to copy"),
)
_EDITED = Node(
    EDIT,
    "D2M_EditRhythm",
    {"rhythm": (RHYTHM, 0), "poses": (POSE, 0)},
    {"energy": 1.2},
    below=PICTURE + 60 + BEAT_EDITOR,
)
RHYTHM_EDIT = Graph(
    "Dance to Music - rhythm, edit and style",
    "rhythm_edit_style",
    "0c3a7f52-58f4-4c0e-9a07-2b6a0e1f7a11",
    """# See the rhythm, change it, choose a style

**Dance Rhythm** shows what was found: curves, beats, downbeats, accents. **Edit Rhythm** \
changes it before any music is written.

**What to change in Edit Rhythm**

- `tempo`: *steady* evens out the beats, *set* takes `tempo_bpm`.
- `grid`: half or double the number of beats.
- `shift (ms)`: all beats later or earlier. `swing`: 50 is straight, 67 is triplets.
- `energy`: calmer below 1, busier above.
- `beats`: your own, in seconds. After a first run the dancer and the beats stand in the node: drag a \
beat, double-click for one more, *Delete* takes one away, *D* starts the bars there. Or type them.

**Style** is in the sampler; *any* leaves the choice to the model. Keep the seed *fixed* to \
hear what an edit alone does.""",
    (
        (dance((340, (load(),)), (360, (pose(),)), (520, _FOUND), (520, (_EDITED,))),),
        (written_music(sampler(EDIT, style="house")), result(DECODE)),
    ),
)

_SONG = Node(SONG, "LoadAudio", values={"audio": ""}, title="Your song")
OWN_SONG = Graph(
    "Dance to Music - your own song",
    "own_song",
    "4be7a9c3-1d02-4c85-8d0e-7a3f6f2b9c20",
    """# Your own song, bent to the dance

**Align Audio to Dance** finds the part of the song that fits best, sets its tempo, and bends \
it beat by beat until its beats meet the dancer's. The pitch stays.

1. Upload the clip in **Load Dance Video** and the song in **Load Audio**.
2. Press **Run**. The node says how many beats meet, and how far it had to bend.

**What to change**

- Sounds warped? Lower `most_bend` or `strength`. Not tight enough? Raise them.
- `start`: *beginning* keeps the song's own start.
- The tempo was found at half or double? `grid` in **Dance Rhythm**.
- `original_level` in **Save Dance Video** keeps some of the clip's own sound under the song.

**Score Dance Music** says how well the result fits. Only use songs that you may use.""",
    ((plain_dance(),), (music((360, (_SONG, align(SONG)))), result(ALIGN, score(ALIGN)))),
)

_SELECTED = Node(SELECT, "D2M_SelectDancer", {"poses": (POSE, 0)}, {"dancer": "most active"}, below=PICTURE)
SEVERAL = Graph(
    "Dance to Music - several dancers",
    "several_dancers",
    "d2b6c1e9-7e45-4f60-9c3b-e8a7b4d51f42",
    """# Several dancers: pick one

**Pose Estimate** finds everybody and follows each. **Select Dancer** shows \
them with their numbers; the music follows the one you choose.

**What to change**

- `dancer` in **Select Dancer**: *largest*, *most active*, *centre*, *by number* (with `number`, from 0), \
*at the point* (with `x` and `y`), *in the region*, or *blend of all* for a group that dances together.

Choosing another dancer does not look for poses again.""",
    (
        (dance((340, (load(),)), (360, (pose(),)), (420, (_SELECTED,)), (520, (rhythm((SELECT, 0)),))),),
        (written_music(sampler(poses=(SELECT, 0))), result(DECODE)),
    ),
)

_CONTINUED = Node(
    CONTINUE,
    "D2M_Continue",
    {"model": (MODEL, 0), "tokens": (SAMPLER, 0), "rhythm": (RHYTHM, 0), "poses": (POSE, 0)},
    {"keep_s": 15.0, "style": "house"},
)
LONG = Graph(
    "Dance to Music - long clip and score",
    "long_and_score",
    "f5a90d37-2c6e-4a8b-8f17-93b0c4e2d653",
    """# A long clip: keep a beginning, write on, score it

The sampler writes music for the whole clip. **Continue / Extend Music** keeps the first \
`keep_s` seconds of it and writes the rest anew, on the same beats: with another seed, another \
style, or beyond the end of the clip.

**What to change**

- Like the beginning, not the end? Set the sampler's seed to *fixed*, and change only the \
seed in **Continue / Extend Music**.
- `keep_s`: where the new part starts; 0 keeps everything.
- `length_s`: 0 is the clip's length; more goes on after the dance, for titles at the end.

**Score Dance Music** measures the result: beats on the dancer's beats, against chance.""",
    ((plain_dance(),), (written_music(sampler(style="disco"), _CONTINUED), result(DECODE, score(DECODE)))),
)

GRAPHS = (
    BASIC,
    APP,
    RHYTHM_EDIT,
    OWN_SONG,
    ACE_STEP,
    SEVERAL,
    LONG,
    *BAND_GRAPHS,
    *MODEL_GRAPHS,
    NEW_DANCER,
    EDIT_PIECE,
)

LARGE = {
    ACE_STEP.api_name: "ACE-Step 1.5",
    NEW_DANCER.api_name: "WanDancer",
    **CONDUCTED,
    **TOLD_MODELS,
    **NEEDS_GPU,
}
"""Graphs of large models, which the tests do not have, and these models."""
