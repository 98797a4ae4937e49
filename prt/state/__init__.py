"""Pure state: objects that events are applied to, without a clock, I/O or Rich; events carry the time."""
