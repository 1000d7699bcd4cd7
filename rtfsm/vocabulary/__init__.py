"""What can arrive and what can be ordered, in words that no provider owns."""
