"""People's labels: which answers they are shown, the local page that shows them, and what comes of it."""
