"""Scores of rhythm and music on sets of dances, each figure beside its controls."""
