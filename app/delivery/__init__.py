"""Where the API gets its audio."""
