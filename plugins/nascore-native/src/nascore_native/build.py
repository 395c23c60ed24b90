"""Compiles the kernels and prints the paths of the libraries: ``python -m nascore_native.build``."""

from __future__ import annotations

import sys

from nascore_native.compilation import main

if __name__ == "__main__":
    sys.exit(main())
