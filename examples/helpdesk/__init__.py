"""Answers the questions of customers."""
