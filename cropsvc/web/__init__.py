"""The front end: pages, the API, and what an operator looks at."""
