"""`python -m app.cli`: the `koe` command."""

from app.cli.commands import main

if __name__ == "__main__":
    main()
