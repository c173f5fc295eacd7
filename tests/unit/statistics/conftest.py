from support.journal_fixtures import at, databases, journal, postgresql_url

__all__ = ["at", "databases", "journal", "postgresql_url"]
