"""The engine: it builds what a recipe names, owns the loop over phases, and writes the run's results."""
