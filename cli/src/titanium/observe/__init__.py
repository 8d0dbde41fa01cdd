"""What watches a run: Prometheus, Alertmanager, the exporter and the console, all optional."""
