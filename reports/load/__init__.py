"""Load runs: reads a run's folder, judges it by its objectives, and writes its reports."""
