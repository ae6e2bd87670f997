"""DICOMweb as a client: STOW-RS to destinations, QIDO-RS of others."""
