"""Singer tap for Sweo."""
