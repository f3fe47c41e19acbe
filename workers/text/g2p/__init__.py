"""Words into phonemes."""
