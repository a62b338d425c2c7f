"""Reads the field configs, as a team writes them, into ``crosswalk.mapping``."""
