"""`python -m tenbin`: the same as `tenbin`."""

from tenbin.cli.main import main

if __name__ == "__main__":
    main()
