"""Measures over a trace. numpy alone."""
