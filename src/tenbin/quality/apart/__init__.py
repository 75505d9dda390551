"""What runs in a process of its own, for it reads patterns, queries and programs that may never end.

Each file is a program of the standard library alone: one JSON object in, one JSON object out. It is started as a file,
without this package around it.
"""
