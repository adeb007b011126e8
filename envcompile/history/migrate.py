"""Bringing a history database to the newest version of its tables, by alembic."""

from __future__ import annotations

import warnings
from pathlib import Path

from envcompile.history.address import shown
from envcompile.history.database import broken


def upgrade(url: str) -> None:
    """Run the steps that a database lacks, all or none; several processes may do so at once.

    Raises:
        UnavailableError: the database does not answer, or a step failed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import alembic.command
        import alembic.config
        import sqlalchemy
        import sqlalchemy.exc

    is_sqlite = url.startswith("sqlite:")
    file = url.removeprefix("sqlite:///")
    address = (
        sqlalchemy.URL.create("sqlite", database=file) if is_sqlite else f"postgresql+psycopg:{url.partition(':')[2]}"
    )
    settings = alembic.config.Config()
    settings.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    settings.set_main_option("path_separator", "os")
    engine = sqlalchemy.create_engine(
        address,
        isolation_level="AUTOCOMMIT",
        poolclass=sqlalchemy.NullPool,
        connect_args={"timeout": 30} if is_sqlite else {},
    )
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if is_sqlite else "BEGIN")
            if not is_sqlite:
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(1701737059)")
            try:
                settings.attributes["connection"] = connection
                alembic.command.upgrade(settings, "head")
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
    except sqlalchemy.exc.SQLAlchemyError as error:
        name = url.removeprefix("sqlite:///") if is_sqlite else shown(url)
        raise broken(name, Exception(str(getattr(error, "orig", None) or type(error).__name__))) from error
    finally:
        engine.dispose()
