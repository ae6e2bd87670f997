"""`python -m exchange` and `vienanh`. Thin, because every listener process imports the main module once more."""

import sys


def main() -> None:
    """Run the command line; a slide's conversion without most of it, which would take longer to load than to use."""
    if sys.argv[1:3] == ["slides", "to-dicom"]:
        from exchange.commands import to_dicom

        if to_dicom.run(sys.argv[3:]):
            return
    from exchange.commands.table import run

    run()


if __name__ == "__main__":
    main()
