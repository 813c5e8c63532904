"""The scoreboard of music: sets, controls, scores, report and page."""
