"""What `prt test` and `prt status` run: each check measures, and judges what it measured."""
