"""Training of the rhythm network: its dances, its losses, its trainer, and fitting to one's own dances."""
