"""Text made plain and said in words, language by language."""
