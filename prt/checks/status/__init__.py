"""The parts of `prt status`: the diagnosis, and the layers that it examines from top to bottom.

Checks that write rows belong to `checks/test/`.
"""
