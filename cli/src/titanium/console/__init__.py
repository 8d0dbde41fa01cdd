"""The operator console: one web application that shows and operates one local run."""
