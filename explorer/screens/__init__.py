"""Screens: each composes, asks and handles."""
