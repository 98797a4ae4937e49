"""Shell completion: scripts generated from the commands, and words from the cache of names."""
