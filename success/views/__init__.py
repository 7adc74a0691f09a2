"""The pages of webinars: for customers, and for those who plan them."""
