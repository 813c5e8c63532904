"""Ears that score music: beat trackers, a judge of styles, distances between sounds."""
