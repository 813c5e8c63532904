"""Pairs of dance and music made by program, on one plan whose truth is known."""
