"""Speech for a text that arrives while it is spoken."""
