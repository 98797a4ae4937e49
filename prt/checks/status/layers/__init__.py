"""The layers between here and a live subscription: each observes, and judges purely what it observed."""
