"""`python -m warroom` is `warroom`."""

from warroom.cli import main

main()
