"""Users' jobs: their records, files and webhooks."""
