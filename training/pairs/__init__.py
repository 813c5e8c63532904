"""A pair of dance and music on disk: what it holds, how shards of them are written and read."""
