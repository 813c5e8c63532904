"""A band that plays while somebody dances: `python -m d2m_core.live --camera 0`.

Pure parts: `clock` tells beats and glides, `conductor` makes one pulse of beats found again and again,
`watching` reads poses as they come, `form` and `band` write bar by bar, `habits` expects accents, `desk` and
`instruments` sound them (`setting_up`); or `transformer` plays what a model has `written`, along a `glide`
and at `levels` of the moment; `session` joins all that and can be stepped, as `rehearsal` does.
Around it: `sources` of pictures, `eyes`, `sinks` of sound, `stage` with its threads, `record`, `window`,
`telling` for other programs, `calibrate`, and `running` behind the `flags`.
"""
