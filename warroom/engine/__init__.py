"""Joins the rooms: monitor, checks, executor, recorder."""
