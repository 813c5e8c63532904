"""Training of the transformer: items, windows, trainer, starts, adapters."""
