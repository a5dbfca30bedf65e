// Placeholder until the target has tests.
