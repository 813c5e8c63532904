"""`python -m d2m_core.live --camera 0`."""

from .flags import build_parser

if __name__ == "__main__":
    args = build_parser().parse_args()  # help and mistaken flags end here, before seconds of PyTorch
    from .running import main_of

    raise SystemExit(main_of(args))
