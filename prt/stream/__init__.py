"""The stream of events from the wire: the SDK's socket, guarded; pure decoding; REST."""
