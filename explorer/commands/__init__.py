"""The command line: one module for each family of commands. What the app shows, a command prints."""
