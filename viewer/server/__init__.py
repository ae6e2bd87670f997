"""The API and the pages of the reading room. Pictures come from gateway.dicomweb, not from here."""
