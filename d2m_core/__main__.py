"""`python -m d2m_core CLIP -o OUT`."""

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
