"""`python -m fslbook`: the command line of `fslbook.paper`."""

import sys

from fslbook.paper.command_line import main

if __name__ == "__main__":
    sys.exit(main())
