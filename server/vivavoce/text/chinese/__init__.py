"""What Chinese text has that its front end misreads."""
