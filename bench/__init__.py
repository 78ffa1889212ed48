"""Benchmarks: seconds at an equal, independently certified duality gap. See the README beside this file."""
