"""Sound to tokens and back: EnCodec, of which others only see `CodecSpec`."""

from .encodec import CODECS, Codec, decode_tokens, encode_audio, load_codec

__all__ = ["CODECS", "Codec", "decode_tokens", "encode_audio", "load_codec"]
