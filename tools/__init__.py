"""Build, execute and check the lessons."""
