"""The description of the API at `/schema`, and the page that shows it."""
