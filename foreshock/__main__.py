"""`python -m foreshock` is the `foreshock` command."""

from foreshock.cli import main

main()
