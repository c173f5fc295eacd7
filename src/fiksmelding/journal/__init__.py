"""What we know, durably: entries, sealed payloads, events."""
