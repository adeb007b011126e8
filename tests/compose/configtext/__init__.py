"""Tests of the configuration files inside of ConfigMaps."""
