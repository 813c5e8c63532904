"""The example graphs of other models that the dance conducts: its tempo, metre and energy, told in words.

Wired and set as templates of the PyPI package comfyui-workflow-templates-json 0.1.123: MiniMax Music 3
as `audio_minimax_music_3`, YuE2 as `audio_yue2_text2music`, ACE-Step 1.5 XL as
`audio_ace_step1_5_xl_turbo`, SDPose as `utility_sdpose_multi_person_video`.
"""

from __future__ import annotations

from scripts.workflow_parts import (
    ALIGN,
    BLUE,
    CHECKPOINT,
    CLAPPED,
    CLAPS,
    DECODE,
    DIFFUSE,
    FOUND,
    FRAMES,
    LENGTH,
    LOAD,
    LOOKED,
    LYRICS,
    NETWORK,
    NO_WORDS,
    PICTURE,
    PLANNED,
    POSE,
    RHYTHM,
    SCORE_TEXT,
    SELECT,
    SHIFT,
    SILENCE,
    SMALLER,
    TEMPO_LINE,
    TEXT_ENCODER,
    TOLD,
    VAE,
    VIOLET,
    WORDS,
    Graph,
    Group,
    ModelFile,
    Node,
    aligned,
    dance,
    heard,
    hosted,
    load,
    plain_dance,
    pose,
    result,
    rhythm,
    sampler,
    song_length,
    told,
    written_music,
)

_INSTRUMENTAL = "[Instrumental]"


def _sampled(model: int, steps: int, cfg: float, name: str, scheduler: str) -> Node:
    links = {
        "model": (model, 0),
        "positive": (WORDS, 0),
        "negative": (NO_WORDS, 0),
        "latent_image": (SILENCE, 0),
    }
    values = {"steps": steps, "cfg": cfg, "sampler_name": name, "scheduler": scheduler}
    return Node(DIFFUSE, "KSampler", links, values)


_UNTOLD = Node(NO_WORDS, "ConditioningZeroOut", {"conditioning": (WORDS, 0)})


def _network(model: ModelFile) -> Node:
    values = {"unet_name": model.name, "weight_dtype": "default"}
    return Node(NETWORK, "UNETLoader", values=values, models=(model,))


def _vae(model: ModelFile) -> Node:
    return Node(VAE, "VAELoader", values={"vae_name": model.name}, models=(model,))


# --- MiniMax Music 3 ---

_M_NETWORK, _M_TEXT, _M_VAE = hosted(
    "MiniMax-Music-3",
    "diffusion_models/minimax_music3_dit_fp16.safetensors",
    "text_encoders/minimax_music3_text_encoder_pruned_int8_convrot.safetensors",
    "vae/minimax_music3_dav.safetensors",
)
_M_LOADED = (
    _network(_M_NETWORK),
    Node(
        TEXT_ENCODER,
        "CLIPLoader",
        values={"clip_name": _M_TEXT.name, "type": "minimax", "device": "default"},
        models=(_M_TEXT,),
    ),
    _vae(_M_VAE),
    song_length(60.0),
)
_M_TOLD = (
    told("House, club music. Punchy four on the floor drums, warm bass, bright synths, clean wide mix"),
    Node(
        WORDS,
        "MiniMaxMusic3TextEncode",
        {"clip": (TEXT_ENCODER, 0), "caption": (TOLD, 0), "max_duration": (LENGTH, 0)},
        {"lyrics": _INSTRUMENTAL, "cfg_scale": 1.7, "top_k": 50},
        below=160,
    ),
    _UNTOLD,
)
_M_MADE = (
    Node(SILENCE, "EmptyMiniMaxMusic3LatentAudio", {"seconds": (WORDS, 1)}),
    _sampled(NETWORK, 30, 1.7, "euler", "simple"),
    *heard((VAE, 0)),
)
MINIMAX = Graph(
    "Dance to Music - MiniMax Music 3",
    "minimax_music",
    "0f6f1c0b-8c5b-4a0c-9f2e-6b7a6b2a5d10",
    """# MiniMax Music 3 in the dance's tempo, then aligned

**Dance Rhythm** says in words what the dance is like ("125 BPM, 4/4, energetic"), MiniMax Music 3 \
writes a song with it; **Align Audio to Dance** then brings beat to beat.

**You need** a ComfyUI of August 2026 or newer (if frames are red, update ComfyUI) and three model \
files, about 13 GB; the page offers to download them.

**What to change**

- The first words of **Your words, then the dance's**: what the music should be. The dance's words follow.
- `lyrics`: words with `[verse]` and `[chorus]`, or `[Instrumental]`.
- **Length of the song**: at least the clip's. The model may end sooner; the music is then repeated.

**Preview Audio** plays the song as it was made, **Save Audio** as it fits the dance.""",
    (
        (plain_dance(), result(ALIGN)),
        (Group("MiniMax Music 3", VIOLET, ((380, _M_LOADED), (440, _M_TOLD), (340, _M_MADE))), aligned()),
    ),
)

# --- YuE2 ---

(_YUE2,) = hosted("YuE2", "checkpoints/yue2_3b_int8_convrot.safetensors")
_SUNG = {"style": (TOLD, 0), "lyrics": (LYRICS, 0), "clip": (CHECKPOINT, 1)}
_Y_LOADED = (
    Node(CHECKPOINT, "CheckpointLoaderSimple", values={"ckpt_name": _YUE2.name}, models=(_YUE2,)),
    told("House with warm bass, bright synths and punchy four on the floor drums, instrumental"),
    Node(LYRICS, "PrimitiveStringMultiline", values={"value": _INSTRUMENTAL}, below=100, title="Lyrics"),
    song_length(60.0),
)
_Y_PLANNED = (
    Node(PLANNED, "YuE2GenerateABC", _SUNG, {"mode": "full"}, below=140),
    Node(
        TEMPO_LINE,
        "RegexExtract",
        {"string": (RHYTHM, 9)},
        {"regex_pattern": "^Q:.*$", "mode": "First Match", "multiline": True},
        title="The dance's tempo",
        below=130,
    ),
    Node(
        SCORE_TEXT,
        "RegexReplace",
        {"string": (PLANNED, 0), "replace": (TEMPO_LINE, 0)},
        {"regex_pattern": "^Q:.*$", "multiline": True},
        title="The score in the dance's tempo",
        below=190,
    ),
)
_Y_MADE = (
    Node(
        WORDS,
        "YuE2GenerateMusic",
        _SUNG | {"abc": (SCORE_TEXT, 0), "max_duration": (LENGTH, 0)},
        {"mode": "full"},
        below=200,
    ),
    _UNTOLD,
    Node(SILENCE, "EmptyYuE2LatentAudio", {"seconds": (WORDS, 1)}),
)
YUE2 = Graph(
    "Dance to Music - YuE2",
    "yue2",
    "7d2f4f0e-1f38-4b19-a6f3-2e0a4f5b9c21",
    """# YuE2 writes a score, and plays it in the dance's tempo

YuE2 plans a song as a score in ABC notation. **Dance Rhythm** tells it the dance in words, and then \
its `ABC header` sets the score's tempo before the music is played. **Align Audio to Dance** brings \
beat to beat.

**You need** a ComfyUI that knows YuE2 (if frames are red, update ComfyUI) and the model \
`yue2_3b_int8_convrot.safetensors` in `models/checkpoints`, 3.7 GB; the page offers to download it. \
Its licence forbids commercial use.

**What to change**

- The first words of **Your words, then the dance's**: style, voice and instruments.
- **Lyrics**: words with `[Verse]` and `[Chorus]`, or `[Instrumental]`.
- **Length of the song**: at least the clip's.

**Preview Audio** plays the song as it was made, **Save Audio** as it fits the dance.""",
    (
        (plain_dance(), result(ALIGN)),
        (
            Group(
                "YuE2",
                VIOLET,
                (
                    (400, _Y_LOADED),
                    (360, _Y_PLANNED),
                    (360, _Y_MADE),
                    (340, (_sampled(CHECKPOINT, 32, 1.0, "dpm_2", "sgm_uniform"), *heard((CHECKPOINT, 2)))),
                ),
            ),
            aligned(),
        ),
    ),
)

# --- ACE-Step 1.5 XL ---

_A_NETWORK, _A_SMALL, _A_LARGE, _A_VAE = hosted(
    "ace_step_1.5_ComfyUI_files",
    "split_files/diffusion_models/acestep_v1.5_xl_turbo_bf16.safetensors",
    "split_files/text_encoders/qwen_0.6b_ace15.safetensors",
    "split_files/text_encoders/qwen_4b_ace15.safetensors",
    "split_files/vae/ace_1.5_vae.safetensors",
)
_A_LOADED = (
    _network(_A_NETWORK),
    Node(
        TEXT_ENCODER,
        "DualCLIPLoader",
        values={"clip_name1": _A_SMALL.name, "clip_name2": _A_LARGE.name, "type": "ace", "device": "default"},
        models=(_A_SMALL, _A_LARGE),
    ),
    _vae(_A_VAE),
    Node(SHIFT, "ModelSamplingAuraFlow", {"model": (NETWORK, 0)}, {"shift": 3.0}),
    song_length(30.0),
    Node(SILENCE, "EmptyAceStep1.5LatentAudio", {"seconds": (LENGTH, 0)}),
)
_A_TOLD = (
    told("house, punchy four on the floor drums, warm bass, bright synths, wide clean mix"),
    Node(
        WORDS,
        "TextEncodeAceStepAudio1.5",
        {
            "clip": (TEXT_ENCODER, 0),
            "tags": (TOLD, 0),
            "bpm": (RHYTHM, 3),
            "timesignature": (RHYTHM, 5),
            "duration": (LENGTH, 0),
        },
        {"lyrics": _INSTRUMENTAL, "language": "en", "keyscale": "A minor"},
        below=160,
    ),
    _UNTOLD,
)
ACE_STEP_XL = Graph(
    "Dance to Music - ACE-Step XL",
    "ace_step_xl",
    "9a3e2f71-5d0b-4c86-8a1f-0c7d9e6b4f32",
    """# ACE-Step 1.5 XL in the dance's tempo, then aligned

The larger ACE-Step writes the song, told the dance's tempo, metre and energy; **Align Audio to \
Dance** then brings beat to beat.

**You need** a ComfyUI with the ACE-Step 1.5 nodes (if frames are red, update ComfyUI) and four model \
files; the page offers to download them. *Dance to Music - ACE-Step* needs one smaller file.

**What to change**

- The first words of **Your words, then the dance's**: what the music should be.
- `lyrics`: words, or `[Instrumental]`. `keyscale`: the key.
- **Length of the song**: at least the clip's length, and no less than 10 seconds.

**Preview Audio** plays the song as it was made, **Save Audio** as it fits the dance.""",
    (
        (plain_dance(), result(ALIGN)),
        (
            Group(
                "ACE-Step 1.5 XL",
                VIOLET,
                (
                    (380, _A_LOADED),
                    (440, _A_TOLD),
                    (340, (_sampled(SHIFT, 8, 1.0, "euler", "simple"), *heard((VAE, 0)))),
                ),
            ),
            aligned(),
        ),
    ),
)

# --- without MediaPipe ---

_SDPOSE, _RTDETR = hosted(
    "SDPose",
    "checkpoints/sdpose_wholebody_fp16.safetensors",
    "diffusion_models/rt_detr_v4-x-hgnet_fp16.safetensors",
)
_S_LOADED = (
    Node(CHECKPOINT, "CheckpointLoaderSimple", values={"ckpt_name": _SDPOSE.name}, models=(_SDPOSE,)),
    _network(_RTDETR),
    Node(FRAMES, "GetVideoComponents", {"video": (LOAD, 1)}),
    Node(
        SMALLER,
        "ImageScaleToMaxDimension",
        {"image": (FRAMES, 0)},
        {"upscale_method": "lanczos", "largest_size": 1024},
    ),
)
_S_LOOKED = (
    Node(
        FOUND,
        "RTDETR_detect",
        {"model": (NETWORK, 0), "image": (SMALLER, 0)},
        {"threshold": 0.5, "class_name": "person", "max_detections": 2},
    ),
    Node(
        LOOKED,
        "SDPoseKeypointExtractor",
        {"model": (CHECKPOINT, 0), "vae": (CHECKPOINT, 2), "image": (SMALLER, 0), "bboxes": (FOUND, 0)},
    ),
    Node(POSE, "D2M_PoseFromKeypoints", {"keypoints": (LOOKED, 0), "fps": (FRAMES, 2), "video": (LOAD, 1)}),
)
_S_CHOSEN = Node(SELECT, "D2M_SelectDancer", {"poses": (POSE, 0)}, below=PICTURE)
SDPOSE = Graph(
    "Dance to Music - SDPose, no MediaPipe",
    "sdpose",
    "3c5b8d6e-2a47-4f19-9e70-b1d4c8f0a643",
    """# Poses by ComfyUI's own SDPose

ComfyUI finds people (RT-DETR) and their joints (SDPose, feet too); **Pose from Keypoints** takes \
them. MediaPipe need not be installed, and its pose model is not fetched.

**You need** a ComfyUI that knows SDPose (if frames are red, update ComfyUI), a GPU, and two model \
files; the page offers to download them.

**What to change**

- `max_detections`: how many people are looked for.
- `dancer` in **Select Dancer**: whom the music follows.
- A long clip? These stock nodes hold all its pictures in memory: set `duration_s` in **Load Dance Video**.

The stock blueprint *Video to Pose Map (SDPose Multi-Person)* fits in as well: its `keypoints` and `fps` \
go to **Pose from Keypoints**.""",
    (
        (dance((340, (load(),))), Group("SDPose", VIOLET, ((380, _S_LOADED), (340, _S_LOOKED)))),
        (
            Group("The dancer", BLUE, ((420, (_S_CHOSEN,)), (520, (rhythm((SELECT, 0)),)))),
            written_music(sampler(poses=(SELECT, 0))),
            result(DECODE),
        ),
    ),
)

# --- clap your beat ---

_CLAPPED = (
    Node(CLAPS, "RecordAudio", title="Clap your beat", below=60),
    Node(CLAPPED, "D2M_RhythmFromAudio", {"audio": (CLAPS, 0)}, below=PICTURE),
)
_DANCED = Node(RHYTHM, "D2M_DanceRhythm", {"poses": (POSE, 0), "tempo_bpm": (CLAPPED, 2)}, below=PICTURE)
CLAP = Graph(
    "Dance to Music - clap your beat",
    "clap",
    "5f0d9a3b-7c61-4e28-b8d5-4a9e1c2f7d54",
    """# Clap the tempo that you feel

You clap or hum along; **Rhythm from Audio** hears your tempo, and **Dance Rhythm** places beats of \
that tempo where they fit the dance best.

1. Upload the clip in **Load Dance Video**.
2. Press the record button in **Clap your beat**, clap for five seconds or more, press it again.
3. Press **Run**.

**What to change**

- The tempo is not what you clapped? Type it into `tempo_bpm` of **Rhythm from Audio**, or clap louder \
and longer. `grid` in **Dance Rhythm** halves or doubles it.
- Beats early or late? `shift (ms)` in **Dance Rhythm**.

No microphone? Any AUDIO will do in place of the recording, such as Load Audio.""",
    (
        (
            Group("Your beat", VIOLET, ((420, _CLAPPED),)),
            dance((340, (load(),)), (360, (pose(),)), (520, (_DANCED,))),
        ),
        (written_music(sampler()), result(DECODE)),
    ),
)

MODEL_GRAPHS = (MINIMAX, YUE2, ACE_STEP_XL, SDPOSE, CLAP)
TOLD_MODELS = {
    MINIMAX.api_name: "MiniMax Music 3",
    YUE2.api_name: "YuE2",
    ACE_STEP_XL.api_name: "ACE-Step 1.5 XL",
}
"""Graphs of large models that are told the dance in words, and these models."""
NEEDS_GPU = {SDPOSE.api_name: "SDPose"}
"""Graphs whose dancer a large model finds."""
