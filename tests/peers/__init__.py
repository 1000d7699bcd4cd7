"""Stories that the official plugin was seen to get wrong, played against ours and against it.

As tests they are played against ours, and must hold. ``python -m tests.peers`` plays them against both plugins and
tells what each of them did.
"""
