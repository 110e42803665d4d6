"""`python -m fondation` is `fondation`."""

from fondation.cli import main

if __name__ == "__main__":
    main()
