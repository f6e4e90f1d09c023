"""What the state topics say, for people (`fsoc state show`), and whether it holds (`fsoc state verify`)."""
