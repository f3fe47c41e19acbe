"""Users' jobs, on the side that speaks: planned, spoken part by part, made into one file, told by webhooks."""
