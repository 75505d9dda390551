"""What is compiled where Tenbin is installed: eight files of C, and how they are called. Everything works without."""
