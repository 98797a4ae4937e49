"""The stream of events from a server: the guarded SDK, pure decoding, REST, recovery and recordings."""
