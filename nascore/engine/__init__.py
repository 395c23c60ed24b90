"""The engine: builds the components of a recipe, trains, and writes the results."""
