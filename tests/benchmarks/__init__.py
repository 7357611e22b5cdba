"""Measures the console from outside, beside what else there is: `make bench`. No tests in here."""
