"""Feeding the envelope what no sender should ever send."""
