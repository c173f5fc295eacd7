"""Receive and send bekymringsmeldinger over KS Fiks without losing one."""
