"""A Sweo workspace: companies, contacts, attributes, events, segments, tags, notes."""
