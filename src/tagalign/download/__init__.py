"""Files from elsewhere: HTTP with retries, resumable downloads, safe unpacking."""
