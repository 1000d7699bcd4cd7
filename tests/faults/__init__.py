"""Faults at every point of a conversation: what is expected of each is data, and each is played over a real socket."""
