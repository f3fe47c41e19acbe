"""Text on its way to sound: normalised, cut into segments, turned into phonemes. Knows no engine."""
