"""Run the command line with ``python -m tagalign``."""

from tagalign.cli import main

main()
