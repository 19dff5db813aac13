"""Engines that run the weights."""
