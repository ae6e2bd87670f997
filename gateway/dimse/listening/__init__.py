"""The listener: ports, processes, associations and their negotiation, and how much one source may take."""
