"""Recordings of what the machines of a session did: written while it runs, read back as typed records.

A recording holds names, numbers and times. What was said is in it as a count of words and of bytes, never as itself.
"""

from .read import Header, Record, TraceError, read, read_header
from .record import FORMAT, VERSION, Recorder

__all__ = ["FORMAT", "VERSION", "Header", "Record", "Recorder", "TraceError", "read", "read_header"]
