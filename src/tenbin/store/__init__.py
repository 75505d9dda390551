"""The ledger: what was asked, decided, spent and learnt, kept through crashes and outages of its own database."""
