"""The peers: the smallest plugins that singer-sdk makes, with its defaults."""
