"""Who the patient is and who they become: keys, new identifiers, and the sealed way back."""
