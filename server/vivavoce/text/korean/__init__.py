"""Written Korean to spoken Korean: numbers, dates, times, money, units, telephones, addresses, signs."""
