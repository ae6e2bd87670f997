"""`python -m exchange` and `vienanh`. Thin, because every listener process imports the main module once more."""


def main() -> None:
    """Run the command line."""
    from exchange.commands.table import run

    run()


if __name__ == "__main__":
    main()
