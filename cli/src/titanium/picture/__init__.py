"""A picture of the network from a Terraform plan: `read` finds what is where, `draw` draws it."""
