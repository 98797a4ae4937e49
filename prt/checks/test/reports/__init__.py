"""The forms in which a test run is told, one module each."""
