"""The platform in a cluster: what its operators run from a checkout."""
