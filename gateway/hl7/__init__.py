"""HL7 v2 over MLLP: orders in. Framing, reading and meaning are pure; the listener has the sockets."""
