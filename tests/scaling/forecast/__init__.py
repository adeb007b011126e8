"""Forecasts, held against public series and generated load."""
