"""The queue over AMQP: connecting, and deliveries with their metadata."""
