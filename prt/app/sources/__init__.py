"""Sources that yield the batches of another source: with explained refusals, or noting names on the way."""
