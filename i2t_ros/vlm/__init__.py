"""A vision language model (VLM): who is asked about a picture, and what may come back."""
