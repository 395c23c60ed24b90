"""The sources of a recipe as layers: files, presets, flags and ``--set``."""
