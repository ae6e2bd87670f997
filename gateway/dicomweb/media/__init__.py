"""Studies on media that people carry: DICOM files with their directory, and a page that shows them anywhere."""
