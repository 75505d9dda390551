"""What is compiled where Tenbin is installed: seven files of C, and how they are called. Everything works without."""
