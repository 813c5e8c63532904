"""Music: the transformer's side of the chain."""
