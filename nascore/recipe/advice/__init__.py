"""Advice on mixes: the nearest mix that works (for refusals), and all mixes with their verdicts."""
