"""The demonstration: a private instance runs all six pipelines on the samples, and what they make is checked."""
