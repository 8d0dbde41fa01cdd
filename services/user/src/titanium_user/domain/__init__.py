"""What an account is and what may be done with it; knows neither HTTP nor SQL."""
