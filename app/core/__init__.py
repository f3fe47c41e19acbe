"""What the API and the workers agree on; it knows neither HTTP nor the model."""
