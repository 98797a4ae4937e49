"""From the wire to events: the SDK's socket, guarded; pure decoding; REST."""
