"""The engine: builds the parts of a recipe, runs the phases, and writes the results."""
