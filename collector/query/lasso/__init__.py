"""Lasso's API: the model calls behind each column of one row of a table."""
