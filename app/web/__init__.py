"""The page that a person opens, as it is sent to the browser."""
