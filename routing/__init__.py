"""What should happen to a study, and the promise that it will: rules, jobs, lanes, relay."""
