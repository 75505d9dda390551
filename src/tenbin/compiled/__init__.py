"""What is compiled where Tenbin is installed: four files of C, and how they are called. Everything works without."""
