"""Koe's speaking side: takes utterances from the queue and turns them into audio."""
