"""The pages of articles: reading and writing."""
