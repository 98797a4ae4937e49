"""The proxy that forwards HTTP/1.1 and websockets byte for byte between an app and its project.

It finds where messages and frames end, and reads nothing else in them. Decoding belongs in `observe/`.
"""
