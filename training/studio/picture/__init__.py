"""A dance drawn as pixels: figure, clothes, room."""
