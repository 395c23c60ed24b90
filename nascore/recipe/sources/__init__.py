"""Recipe files, presets, flags and ``--set`` as layers, and what a run keeps of them."""
