"""What leaves the house: metrics for other programs, and a policy as C."""
