"""What runs in a process of its own, for it reads patterns, schemas, queries and programs that may never end.

Each file is a program of the standard library (`json_check` is told where its package lies): one JSON object in, one
JSON object out. It is started as a file, without this package around it.
"""
