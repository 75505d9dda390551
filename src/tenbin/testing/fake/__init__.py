"""A scriptable upstream on loopback, for tests of whatever calls a model: correct by default, faulty on demand."""
