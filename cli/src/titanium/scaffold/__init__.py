"""Templates of what people add to the platform, and the code that fills them in."""
