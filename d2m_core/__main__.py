"""`python -m d2m_core CLIP -o OUT`."""

from .flags import build_parser

if __name__ == "__main__":
    args = build_parser().parse_args()  # help and mistaken flags end here, before seconds of PyTorch
    from .cli import main_of

    raise SystemExit(main_of(args))
