"""A band that plays while somebody dances: `python -m d2m_core.live --camera 0`.

Pure parts: `clock` tells beats and glides, `conductor` makes one pulse of beats found again and again,
`watching` reads poses as they come, `form` and `band` write bar by bar, `habits` expects accents, `desk` and
`instruments` (with `setting_up`) sound them; `session` joins all that and can be stepped, as `rehearsal` does. Around it:
`sources` of pictures, `eyes`, `sinks` of sound, `stage` with its threads, `record`, `window`, and `running`
behind the `flags`.
"""
