"""Who may connect to the VPC from a laptop, and what the office's end of the tunnel is set to."""
