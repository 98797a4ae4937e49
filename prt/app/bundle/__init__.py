"""The bundle of `prt status`: what a bug report needs, without secrets and without values of rows.

What is wrong with a project is found in `checks/status/`.
"""
