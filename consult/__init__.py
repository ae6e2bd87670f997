"""Cases, reading worklist and reports: the clinical domain. No HTTP, no DICOM sockets.

So far: the orders that feed the Modality Worklist, the steps that modalities say they performed, and UPS work items.
"""
