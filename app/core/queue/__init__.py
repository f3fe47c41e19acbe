"""How an utterance goes from the API to a worker and comes back as audio."""
