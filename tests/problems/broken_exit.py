"""A module of tools that ends the process."""

import sys

sys.exit("no database")
