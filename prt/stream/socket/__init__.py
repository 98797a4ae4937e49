"""One connection to a Realtime server: the SDK, guarded, and the decoding of frames.

Everything that the SDK is known to do wrong is guarded here; what reconnects belongs to `stream/live/`.
"""
