"""
What alembic runs to apply the scripts beside it: on the connection it is given, whose transaction
the caller ends.
"""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=None,
    # SQLite's own transactions cover tables too, since ours begin before the driver's guess.
    transactional_ddl=True,
)
context.run_migrations()
