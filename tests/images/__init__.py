"""The images: their Dockerfiles, the gateway's bootstrap, and what is built of them."""
