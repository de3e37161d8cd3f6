"""`python -m meanfield_pde`."""

from __future__ import annotations

import sys

from meanfield_pde.cli import main

if __name__ == "__main__":
    sys.exit(main())
