"""The platform over HTTP: thin handlers over the rules."""
