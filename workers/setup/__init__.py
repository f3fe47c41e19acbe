"""What a machine needs before it can speak: fetched, converted, verified."""
