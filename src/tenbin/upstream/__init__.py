"""Calling the models: where (`destination`), how (`client`), what went wrong (`failure`), what came back.

`sse` and `stream` read answers that come in pieces, `usage` those that come whole; `translate` says one dialect in
the other. Import from the files: a command that needs only the pure parts does not load the HTTP client.
"""
