"""The moves a dancer knows, family by family."""
