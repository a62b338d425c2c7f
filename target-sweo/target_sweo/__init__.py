"""Singer target for Sweo."""
