"""Text in, encoded chunks out."""
