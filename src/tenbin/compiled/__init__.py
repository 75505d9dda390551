"""What is compiled where Tenbin is installed: three files of C, and how they are called. Everything works without."""
