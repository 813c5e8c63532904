"""The example graph of stock ACE-Step 1.5: its song in the dance's tempo, then aligned.

Wired and set as the template `audio_ace_step_1_5_checkpoint` of Comfy-Org/workflow_templates.
"""

from __future__ import annotations

from scripts.workflow_parts import (
    ALIGN,
    CHECKPOINT,
    DIFFUSE,
    GREEN,
    LENGTH,
    NO_WORDS,
    PLAIN,
    RHYTHM,
    SHIFT,
    SILENCE,
    SOUND,
    VIOLET,
    WORDS,
    Graph,
    Group,
    ModelFile,
    Node,
    align,
    plain_dance,
    result,
)

_TAGS = "energetic dance pop, punchy drums on every beat, warm bass, bright synths, clean mix"

ACE_STEP_MODEL = ModelFile(
    "ace_step_1.5_turbo_aio.safetensors",
    "https://huggingface.co/Comfy-Org/ace_step_1.5_ComfyUI_files/resolve/main/checkpoints/"
    "ace_step_1.5_turbo_aio.safetensors",
    "checkpoints",
)
"""As ComfyUI's own template of ACE-Step 1.5 names it."""

_LOADED = (
    Node(
        CHECKPOINT,
        "CheckpointLoaderSimple",
        values={"ckpt_name": ACE_STEP_MODEL.name},
        models=(ACE_STEP_MODEL,),
    ),
    Node(SHIFT, "ModelSamplingAuraFlow", {"model": (CHECKPOINT, 0)}, {"shift": 3.0}),
    Node(LENGTH, "PrimitiveFloat", values={"value": 30.0}, title="Length of the song (seconds)"),
    Node(SILENCE, "EmptyAceStep1.5LatentAudio", {"seconds": (LENGTH, 0)}),
)
_TOLD = (
    Node(
        WORDS,
        "TextEncodeAceStepAudio1.5",
        {"clip": (CHECKPOINT, 1), "bpm": (RHYTHM, 3), "timesignature": (RHYTHM, 5), "duration": (LENGTH, 0)},
        {"tags": _TAGS, "lyrics": "[Instrumental]", "language": "en", "keyscale": "A minor"},
        below=200,
    ),
    Node(NO_WORDS, "ConditioningZeroOut", {"conditioning": (WORDS, 0)}),
)
_MADE = (
    Node(
        DIFFUSE,
        "KSampler",
        {
            "model": (SHIFT, 0),
            "positive": (WORDS, 0),
            "negative": (NO_WORDS, 0),
            "latent_image": (SILENCE, 0),
        },
        {"steps": 8, "cfg": 1.0, "sampler_name": "euler", "scheduler": "simple"},
    ),
    Node(SOUND, "VAEDecodeAudio", {"samples": (DIFFUSE, 0), "vae": (CHECKPOINT, 2)}),
    Node(PLAIN, "PreviewAudio", {"audio": (SOUND, 0)}, title="The song as made", below=60),
)

ACE_STEP = Graph(
    "Dance to Music - ACE-Step",
    "ace_step",
    "a81d0f6b-93c7-4b19-b1d4-50f2d3c6e731",
    """# ACE-Step 1.5 in the dance's tempo, then aligned

ACE-Step writes the song, told the tempo and the metre of the dance; **Align Audio to Dance** \
then brings beat to beat.

**You need** a ComfyUI with the ACE-Step 1.5 nodes (if frames are red, update ComfyUI) and the \
model `ace_step_1.5_turbo_aio.safetensors` in `models/checkpoints`; the page offers to download it.

**What to change**

- `tags`: what the music should be. `lyrics`: words, or `[Instrumental]`.
- **Length of the song**: at least the clip's length, and no less than 10 seconds.
- Tempo and metre come from the dance by themselves: `bpm` and `timesignature` are linked.

**Preview Audio** plays the song as it was made, **Save Audio** as it fits the dance.""",
    (
        (plain_dance(), result(ALIGN)),
        (
            Group("ACE-Step 1.5", VIOLET, ((340, _LOADED), (440, _TOLD), (340, _MADE))),
            Group("Aligned", GREEN, ((360, (align(SOUND),)),)),
        ),
    ),
)
