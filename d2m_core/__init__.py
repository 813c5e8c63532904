"""Dance to Music: video -> poses -> motion -> rhythm -> tokens -> audio. Works without ComfyUI."""
