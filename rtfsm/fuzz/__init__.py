"""Fuzzes the order of events against a realtime model, and keeps the shortest failing ordering."""
