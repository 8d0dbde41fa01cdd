"""What Prometheus scrapes: the platform's metrics, from sockets that only this user may open."""
