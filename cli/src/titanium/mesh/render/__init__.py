"""Pure functions: catalog, policy and topology in, Envoy v3 configuration (dictionaries) out."""
