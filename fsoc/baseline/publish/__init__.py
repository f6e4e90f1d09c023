"""A version of the baseline as a bundle: queries, support matrix, notes, digests, signature. Pure: files are bytes."""
