"""The Fiks platform on one machine, to build and test an integration against."""
