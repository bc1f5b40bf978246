"""`python -m vivavoce`."""

from vivavoce.cli.main import main

if __name__ == "__main__":
    main()
