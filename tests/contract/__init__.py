"""What any realtime session owes LiveKit: the probes, proved, and put to ours and to the official plugin."""
