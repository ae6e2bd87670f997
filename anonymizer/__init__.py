"""De-identification of DICOM instances (PS3.15 Annex E): pure, without database, sockets, clock or randomness.

The way in is `anonymizer.engine.engine.deidentify`; what it takes and gives is in `anonymizer.engine.result`:

    keys = anonymizer.pseudonyms.keys.derive(secret_32_bytes, site="bv-huyen")
    profile = anonymizer.profiles.profile.load("tele-read")     # a frozen value; or anonymizer.profiles.site_profile.chosen(file, its text)
    header = kernel.dicom.scanning.scanner.scan(source, transfer_syntax_uid, offset=dataset_offset)   # or the one made at ingest

    reason = anonymizer.pixels.gate.needs_pixel_review(header)       # None, or why a person should look first
    out = anonymizer.engine.engine.deidentify(source, header=header, profile=profile, keys=keys, issuer="bv-huyen")
    findings = anonymizer.residue.search.find(out.header_bytes, anonymizer.residue.search.needles_of(header))   # () or hold

    file.writelines(out.chunks(source))                              # a complete Part 10 file
    sealed = [anonymizer.pseudonyms.vault.seal(entry, keys, nonce=os.urandom(12)) for entry in out.vault_entries]

`source` is a whole Part 10 file: bytes or a memory map. Sealed entries are stored once for each (kind, blind_index).
`deidentify` raises `MalformedInstance`, `LimitExceeded` or another `Refused` for whatever it does not understand: the
instance is to be held, never passed.
"""
