"""Command lines over `d2m_core`: every file here is a command, every folder the tools of some of them."""
