"""Orderings made from the tables, and played through the real adapter."""
