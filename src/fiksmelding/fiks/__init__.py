"""The platform over HTTP: tokens, catalog, sending, documents."""
