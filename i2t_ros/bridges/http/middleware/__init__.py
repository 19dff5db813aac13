"""What every HTTP request passes through before a route answers it."""
