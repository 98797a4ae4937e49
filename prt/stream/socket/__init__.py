"""One connection to a Realtime server: the guarded SDK, and the decoding of its frames.

Everything that the SDK is known to do wrong is guarded against here. Reconnecting belongs to `stream/live/`.
"""
