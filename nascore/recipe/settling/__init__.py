"""Settles layers into a recipe: fills every slot, checks every need, and collects all problems."""
