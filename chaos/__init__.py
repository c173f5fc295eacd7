"""Chaos: reports arrive steadily while everything around the receiver breaks, and not one may be lost.

`make chaos REPORTS=300 MINUTES=2 SEED=1`; docs/reliability.md tells what is claimed and how it is judged.
"""
