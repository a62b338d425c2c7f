"""What the plugins share: the message loop, STATE, signals and the exchange of a batch."""
