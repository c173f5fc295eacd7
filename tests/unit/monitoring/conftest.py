from support.journal_fixtures import at, databases, postgresql_url

__all__ = ["at", "databases", "postgresql_url"]
