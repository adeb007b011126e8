"""The room that speaks to clusters."""
