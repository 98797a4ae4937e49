"""Renderables and sinks: a state becomes a picture, an event becomes bytes."""
