"""Advice on refused requests: the nearest request that works, and the reasons."""
