"""Figures from which an operator sizes a fleet and its Redis, measured on one machine."""
