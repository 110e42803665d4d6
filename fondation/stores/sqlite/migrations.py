"""The tables, as a list of steps. A step that has shipped is never edited: a change is a new step."""

from __future__ import annotations

import secrets
import sqlite3

from sqlite_utils import Database, Migrations

from fondation.stores.rows import ADDED_COLUMNS, BASE_COLUMNS, CAST_PICO
from fondation.stores.sqlite.budget_triggers import budget_triggers
from fondation.stores.sqlite.views import views

migrations = Migrations("fondation")


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file up to date; several processes may try at the same time."""
    database = Database(connection, recursive_triggers=False, execute_plugins=False)
    if not migrations.pending(database):
        return
    connection.execute("BEGIN IMMEDIATE")  # a second process waits here, then finds nothing to do
    try:
        migrations.apply(database)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _usage_columns(database: Database) -> set[str]:
    return {row[1] for row in database.execute("PRAGMA table_xinfo(usage_tracking)")}


@migrations()
def m001_usage_tracking(database: Database) -> None:
    """One row per model call. A table with the base columns alone, made by another program, is widened."""
    columns = "".join(f", {name} {kind}" for name, kind in BASE_COLUMNS.items())
    database.execute(f"CREATE TABLE IF NOT EXISTS usage_tracking (id INTEGER PRIMARY KEY AUTOINCREMENT{columns})")
    present = _usage_columns(database)
    for name, kind in ADDED_COLUMNS.items():
        if name not in present:
            database.execute(f"ALTER TABLE usage_tracking ADD COLUMN {name} {kind}")
    if "cost_pico" not in present:
        database.execute(
            f"ALTER TABLE usage_tracking ADD COLUMN cost_pico INTEGER GENERATED ALWAYS AS ({CAST_PICO}) VIRTUAL"
        )
    for name in ("timestamp", "session_id", "user_id", "run_id"):
        database.execute(f"CREATE INDEX IF NOT EXISTS usage_tracking_{name} ON usage_tracking ({name})")
    database.execute(
        "CREATE INDEX IF NOT EXISTS usage_tracking_running ON usage_tracking (owner) WHERE status = 'running'"
    )


@migrations()
def m002_usage_file(database: Database) -> None:
    """A mark that tells this file from one that is made later in its place: row ids hold in one of them."""
    database.execute("CREATE TABLE usage_file (mark TEXT NOT NULL)")
    database.execute("INSERT INTO usage_file (mark) VALUES (?)", [secrets.token_hex(8)])


@migrations()
def m003_usage_owners(database: Database) -> None:
    """The processes that have calls open, each with the unix time until which it surely lives."""
    database.execute("CREATE TABLE usage_owners (owner TEXT PRIMARY KEY, lease_until REAL NOT NULL) WITHOUT ROWID")


@migrations()
def m004_usage_spools(database: Database) -> None:
    """The spool files whose rows are in the ledger already: kept until the file itself is gone."""
    database.execute("CREATE TABLE usage_spools (name TEXT PRIMARY KEY) WITHOUT ROWID")


@migrations()
def m005_chats(database: Database) -> None:
    """A conversation each. The prefix is for files that are an application's own: that may have chats too."""
    database.execute(
        "CREATE TABLE fondation_chats (number INTEGER PRIMARY KEY, owner TEXT NOT NULL, id TEXT NOT NULL, title TEXT, "
        "folded_title TEXT NOT NULL DEFAULT '', agent TEXT, created_at REAL NOT NULL, updated_at REAL NOT NULL, "
        "messages INTEGER NOT NULL DEFAULT 0, excerpt TEXT NOT NULL DEFAULT '', UNIQUE (owner, id))"
    )
    database.execute("CREATE INDEX fondation_chats_newest ON fondation_chats (owner, updated_at DESC, id DESC)")


@migrations()
def m006_chat_messages(database: Database) -> None:
    """The messages of a chat, in their order. What may be large is last: the columns before it are read without."""
    database.execute(
        "CREATE TABLE fondation_chat_messages (number INTEGER PRIMARY KEY, chat INTEGER NOT NULL, "
        "position INTEGER NOT NULL, id TEXT NOT NULL, role TEXT NOT NULL, status TEXT NOT NULL, process TEXT NOT NULL, "
        "run_id TEXT, created_at REAL NOT NULL, excerpt TEXT NOT NULL, folded_text TEXT NOT NULL, "
        "metadata TEXT NOT NULL, model_messages TEXT, parts TEXT NOT NULL, UNIQUE (chat, id), UNIQUE (chat, position))"
    )
    database.execute(
        "CREATE INDEX fondation_chat_messages_streaming ON fondation_chat_messages (process) WHERE status = 'streaming'"
    )


@migrations()
def m007_chat_calls(database: Database) -> None:
    """The tool calls that wait, or waited, for a person or for the page."""
    database.execute(
        "CREATE TABLE fondation_chat_calls (number INTEGER PRIMARY KEY, chat INTEGER NOT NULL, id TEXT NOT NULL, "
        "message_id TEXT NOT NULL, call_id TEXT NOT NULL, tool TEXT NOT NULL, arguments TEXT NOT NULL, "
        "agent TEXT NOT NULL, kind TEXT NOT NULL, roles TEXT NOT NULL, expires_at REAL, state TEXT NOT NULL, "
        "UNIQUE (chat, id))"
    )
    database.execute("CREATE INDEX fondation_chat_calls_waiting ON fondation_chat_calls (chat) WHERE state = 'waiting'")


@migrations()
def m008_chat_memory(database: Database) -> None:
    """Working memory: of a chat, or of its owner where `chat` is NULL."""
    database.execute("CREATE TABLE fondation_chat_memory (owner TEXT NOT NULL, chat TEXT, text TEXT NOT NULL)")
    database.execute("CREATE INDEX fondation_chat_memory_whose ON fondation_chat_memory (owner, chat)")


@migrations()
def m009_chat_processes(database: Database) -> None:
    """The processes that write answers, each with the unix time until which it surely lives."""
    database.execute(
        "CREATE TABLE fondation_chat_processes (process TEXT PRIMARY KEY, lease_until REAL NOT NULL) WITHOUT ROWID"
    )


@migrations()
def m010_chat_runs(database: Database) -> None:
    """The newest run of each chat, whose process has the chat's turn until it ends; forgotten some time after."""
    database.execute(
        "CREATE TABLE fondation_chat_runs (owner TEXT NOT NULL, id TEXT NOT NULL, run_id TEXT NOT NULL, "
        "process TEXT NOT NULL, address TEXT, began_at REAL NOT NULL, ended_at REAL, PRIMARY KEY (owner, id)) "
        "WITHOUT ROWID"
    )
    database.execute("CREATE INDEX fondation_chat_runs_ended ON fondation_chat_runs (ended_at, process)")


@migrations()
def m011_usage_purpose(database: Database) -> None:
    """What a call was for; a title, say, is no part of its run's answer."""
    if "purpose" not in _usage_columns(database):
        database.execute("ALTER TABLE usage_tracking ADD COLUMN purpose TEXT")


@migrations()
def m012_chat_summaries(database: Database) -> None:
    """What models read instead of a chat's oldest messages, the last of which is `through`."""
    database.execute(
        "CREATE TABLE fondation_chat_summaries (chat INTEGER PRIMARY KEY, through TEXT NOT NULL, text TEXT NOT NULL)"
    )


@migrations()
def m013_usage_settlements(database: Database) -> None:
    """The calls whose cost is being asked for since `since`, and when next: unix seconds. A running call is pending
    too, so one index finds both.
    """
    if "cost_note" not in _usage_columns(database):
        database.execute("ALTER TABLE usage_tracking ADD COLUMN cost_note TEXT")
    database.execute("DROP INDEX IF EXISTS usage_tracking_running")
    database.execute("CREATE INDEX usage_tracking_pending ON usage_tracking (owner) WHERE cost_source = 'pending'")
    database.execute(
        "CREATE TABLE usage_settlements "
        "(call INTEGER PRIMARY KEY, tries INTEGER NOT NULL, since REAL NOT NULL, due REAL NOT NULL)"
    )


@migrations()
def m014_usage_losses(database: Database) -> None:
    """Rows that found no room anywhere, and when that was over; and what tells the calls of an owner apart."""
    if "number" not in _usage_columns(database):
        database.execute("ALTER TABLE usage_tracking ADD COLUMN number INTEGER")
    database.execute("CREATE TABLE usage_losses (timestamp INTEGER NOT NULL, rows INTEGER NOT NULL)")


@migrations()
def m015_usage_by_time(database: Database) -> None:
    """Indexes for reports: by time alone with all that most figures are made of, and by time for a user or session.

    It holds `cost`, not `cost_pico`: no index covers a query for a computed column.
    """
    covered = (
        "timestamp, agent_name, model, requested_model, provider, status, cost_source, cost, total_tokens, "
        "prompt_tokens, completion_tokens, cached_tokens, cache_write_tokens, reasoning_tokens, duration, "
        "time_to_first_token, run_id"
    )
    for name, columns in (
        ("timestamp", covered),
        ("user_id", "user_id, timestamp"),
        ("session_id", "session_id, timestamp"),
    ):
        database.execute(f"DROP INDEX IF EXISTS usage_tracking_{name}")
        database.execute(f"CREATE INDEX usage_tracking_{name} ON usage_tracking ({columns})")


@migrations()
def m016_usage_views(database: Database) -> None:
    """What calls cost, for whoever opens the file with a tool of their own."""
    for name, select in views().items():
        database.execute(f"CREATE VIEW IF NOT EXISTS {name} AS {select}")


@migrations()
def m017_usage_budgets(database: Database) -> None:
    """What is spent of each budget, kept at hand; what calls under way have set aside of it; and the triggers that keep
    both with the rows, whoever writes them.
    """
    present = _usage_columns(database)
    for name in ("reservation", "budgets"):
        if name not in present:
            database.execute(f"ALTER TABLE usage_tracking ADD COLUMN {name} TEXT")
    database.execute(
        "CREATE TABLE usage_budgets (key TEXT PRIMARY KEY, budget TEXT NOT NULL, bucket TEXT NOT NULL, starts REAL, "
        "ends REAL, spent_pico INTEGER NOT NULL, warned INTEGER NOT NULL, checked_at REAL, kept_until REAL NOT NULL) "
        "WITHOUT ROWID"
    )
    database.execute(
        "CREATE TABLE usage_reservations (token TEXT NOT NULL, counter TEXT NOT NULL, amount_pico INTEGER NOT NULL, "
        "lease_until REAL NOT NULL, held_pico INTEGER NOT NULL DEFAULT 0, is_held INTEGER NOT NULL DEFAULT 0, "
        "PRIMARY KEY (token, counter)) WITHOUT ROWID"
    )
    database.execute(
        "CREATE INDEX usage_reservations_counter ON usage_reservations (counter, lease_until, amount_pico, is_held)"
    )
    for trigger in budget_triggers():
        database.execute(trigger)


@migrations()
def m018_usage_by_kind(database: Database) -> None:
    """Reports add up calls of one agent, model and so on, which stand together here in the order of time: nothing is
    sorted. Running calls have an index of their own, so that a call is put among the others once.

    A chat that is its session too, as most are, is found by it.
    """
    kind = "agent_name, model, requested_model, provider, purpose, status, cost_source"
    covered = (
        "cost, total_tokens, prompt_tokens, completion_tokens, cached_tokens, cache_write_tokens, reasoning_tokens, "
        "duration, time_to_first_token, run_id"
    )
    database.execute("DROP INDEX IF EXISTS usage_tracking_timestamp")
    for name, columns in (
        ("timestamp", "timestamp"),
        ("kind", f"{kind}, timestamp, {covered}) WHERE (status IS NOT 'running'"),
        ("running", "timestamp) WHERE (status = 'running'"),
        ("chat_id", "chat_id) WHERE (chat_id IS NOT session_id"),
    ):
        database.execute(f"CREATE INDEX usage_tracking_{name} ON usage_tracking ({columns})")


@migrations()
def m019_usage_odd_costs(database: Database) -> None:
    """A cost that another program got wrong is in no view's sum and in no budget."""
    for name, select in views().items():
        database.execute(f"DROP VIEW IF EXISTS {name}")
        database.execute(f"CREATE VIEW {name} AS {select}")
    for change in ("insert", "update", "delete"):
        database.execute(f"DROP TRIGGER IF EXISTS usage_tracking_budgets_{change}")
    for trigger in budget_triggers():
        database.execute(trigger)
