"""Generators and discriminators, trained against each other."""
