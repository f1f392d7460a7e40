"""Freesound, the service: its API and limits, the walk through a search, previews."""
