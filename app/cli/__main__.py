"""The command line without its script: `python -m app.cli`, by which one part of Sightline starts another."""

from app.cli import main

main()
