"""`python -m exchange.documents`: the tables of the documents made anew."""

from exchange.documents.tables import main

if __name__ == "__main__":
    main()
