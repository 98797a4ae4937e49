"""Reducers: `(state, event) -> state`, without clock, I/O or Rich; time comes in with the event."""
