"""What a camera sees of a dance: shots, crops, people, and the noise of a pose estimator."""
