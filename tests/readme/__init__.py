"""The README as a test subject: `python -m tests.readme` writes its generated blocks anew."""
