"""What changes after a fit without one: candidates taken in from a handful of answers."""
