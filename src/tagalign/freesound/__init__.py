"""Freesound as a source: walk its API, download previews in shards, credit the authors."""
