"""The national service for bekymringsmeldinger: from the one who reports to the account, or to letter post."""
