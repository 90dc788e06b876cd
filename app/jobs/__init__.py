"""Work in the background: the queue in the table of jobs, the kinds of jobs, and the worker that runs them."""
