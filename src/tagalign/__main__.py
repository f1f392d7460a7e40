"""Run the command line with ``python -m tagalign``."""

import os
import sys

if __name__ == "__main__":
    # Python puts the working directory first on the path, where a file `random.py` of the user
    # would take the place of Python's own. The library is imported after this.
    if not sys.flags.safe_path and sys.path[0] in ("", os.environ.get("PWD"), os.getcwd()):  # noqa: PTH109
        del sys.path[0]

    from tagalign.cli import main

    main()
