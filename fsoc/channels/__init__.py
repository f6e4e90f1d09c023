"""Feedback in the forms that institutions' tools and people read: STIX, HTML, text, mail. Pure; sends nothing."""
