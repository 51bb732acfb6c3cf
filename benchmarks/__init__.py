"""Comparisons of speed and quality. Run by hand; results stand in the README."""
