"""Training of the embedded codec, an EnCodec: networks, losses, codebooks, music and trainer."""
