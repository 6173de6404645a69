"""The delay of flights: features known before the departure, and a model of late arrivals."""
