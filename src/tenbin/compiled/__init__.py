"""What is compiled where Tenbin is installed: some files of C, and how they are called. Everything works without."""
