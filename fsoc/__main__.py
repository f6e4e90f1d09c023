"""`python -m fsoc` is `fsoc`."""

from fsoc.cli.main import main

main()
