"""The parts of `prt status`: the diagnosis, and the layers that it goes down.

Checks that write rows belong to `checks/test/`.
"""
