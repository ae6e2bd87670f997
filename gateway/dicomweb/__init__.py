"""DICOMweb (PS3.18): STOW-RS, QIDO-RS and WADO-RS as a server, STOW-RS as a client."""
