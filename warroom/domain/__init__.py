"""What an incident is: values and pure functions, standard library only."""
