"""The Textual app, and the command line beside it."""
