"""Weights: what they are, where they are, how they get here."""
