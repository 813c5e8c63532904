"""From recordings of dance to shards of training pairs; `training.build_dataset` is its command."""
