"""The stream of events from a server, and how what was lost is found and brought back.

It contains the SDK with guards against its faults, the decoding of frames, REST, recovery, and recordings.
"""
