"""Other people's frameworks over our borders."""
