"""What data stores and secrets need before the first process starts."""
