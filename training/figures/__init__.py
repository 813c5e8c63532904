"""Intervals, calibration and tables: how figures are made and shown."""
