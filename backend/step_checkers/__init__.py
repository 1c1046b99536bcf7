"""Step checkers: rules that read a whole reasoning path and say whether its steps are right. They are plug-ins."""
