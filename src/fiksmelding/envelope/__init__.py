"""HOW it is sealed: an ASiC-E container inside CMS EnvelopedData (contract section 8). Pure and streaming."""
