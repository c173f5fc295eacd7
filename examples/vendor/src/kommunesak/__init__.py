"""A case system of a municipality: as small as one can be that keeps what it says it keeps."""
