"""`python -m foreshock` is the `foreshock` command."""

from foreshock.cli import main

if __name__ == "__main__":
    main()
