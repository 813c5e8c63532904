"""Training of the ear: the music it learns from, what becomes of it on the way, its trainer, its measure."""
