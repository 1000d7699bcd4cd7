"""The demo: a LiveKit agent, a caller with a recorded voice and a scripted Phonic, in one process and in real time.

Everything on the way is real: an ``AgentSession``, the Phonic adapter with its machines, a WebSocket, sound in both
directions. Only the provider's mind is a script. The demo ends with exit status 0 if the whole conversation took place
and no invariant was violated; ``--plant`` puts a defect in, to show that the demo notices.
"""
