"""The layers from this machine to a live subscription.

Each module observes one layer, and its functions `judge…` turn the observation into findings without any I/O.
"""
