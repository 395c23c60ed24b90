"""From layers to a recipe: every slot filled, every need checked, all problems at once."""
