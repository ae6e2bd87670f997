"""What a node asks of others (PS3.4, PS3.7): outgoing associations, sending, finding, retrieving, asking for commitment."""
