"""Put the scores together: statistics, table, figures, report."""
