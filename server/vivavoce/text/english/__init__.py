"""Written English to spoken English: numbers, money, dates, times, units, addresses, abbreviations, signs."""
