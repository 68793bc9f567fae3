"""Fits that meet, so that the engine trains many at once: the block, the searches, the backend."""
