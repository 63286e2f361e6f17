"""Playing: a policy steps environments, and a rollout is what is kept of it."""
