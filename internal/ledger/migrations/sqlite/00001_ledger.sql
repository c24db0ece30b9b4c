-- +goose Up
-- A migration that two programs begin at once is done once.
CREATE UNIQUE INDEX ledger_versions_once ON ledger_versions (version_id);

CREATE TABLE ledger (
	one  INTEGER PRIMARY KEY CHECK (one = 1),
	id   TEXT NOT NULL,
	salt BLOB NOT NULL
) STRICT;

-- Times are microseconds since 1970 UTC.
CREATE TABLE events (
	seq         INTEGER PRIMARY KEY,
	kind        TEXT NOT NULL,
	text_id     INTEGER NOT NULL,
	target_id   INTEGER NOT NULL,
	head        TEXT NOT NULL,
	label       TEXT NOT NULL,
	annotator   TEXT NOT NULL,
	source      TEXT NOT NULL,
	selection   TEXT NOT NULL,
	probability REAL NOT NULL,
	adjudicated INTEGER NOT NULL,
	ref         INTEGER NOT NULL,
	details     TEXT NOT NULL,
	time        INTEGER NOT NULL,
	recorded    INTEGER NOT NULL
) STRICT;
CREATE INDEX events_text ON events (text_id, seq);
CREATE INDEX events_ref ON events (ref) WHERE ref > 0;
CREATE INDEX events_kind ON events (kind, seq);

-- +goose StatementBegin
CREATE TRIGGER events_update BEFORE UPDATE ON events
BEGIN
	SELECT RAISE(ABORT, 'events are never changed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER events_delete BEFORE DELETE ON events
BEGIN
	SELECT RAISE(ABORT, 'events are never deleted');
END;
-- +goose StatementEnd

-- What forgetting erases is in the tables from here to queued; seq is the event
-- that brought it.
CREATE TABLE texts (
	id     INTEGER PRIMARY KEY,
	seq    INTEGER NOT NULL,
	digest BLOB NOT NULL UNIQUE,
	bytes  INTEGER NOT NULL,
	text   TEXT NOT NULL
) STRICT;

CREATE TABLE ids (
	name    TEXT PRIMARY KEY,
	text_id INTEGER NOT NULL,
	seq     INTEGER NOT NULL
) STRICT;
CREATE INDEX ids_text ON ids (text_id);

CREATE TABLE groups (
	name    TEXT NOT NULL,
	text_id INTEGER NOT NULL,
	seq     INTEGER NOT NULL,
	PRIMARY KEY (name, text_id)
) STRICT;
CREATE INDEX groups_text ON groups (text_id);

CREATE TABLE targets (
	text_id INTEGER NOT NULL,
	id      INTEGER NOT NULL,
	target  TEXT NOT NULL,
	PRIMARY KEY (text_id, id)
) STRICT;

CREATE TABLE queued (
	seq         INTEGER PRIMARY KEY,
	text_id     INTEGER NOT NULL,
	target_id   INTEGER NOT NULL,
	heads       TEXT NOT NULL,
	revision    TEXT NOT NULL,
	batch       TEXT NOT NULL,
	predictions TEXT NOT NULL
) STRICT;
CREATE INDEX queued_text ON queued (text_id);

CREATE TABLE tombstones (
	digest BLOB PRIMARY KEY,
	seq    INTEGER NOT NULL
) STRICT;

CREATE TABLE requests (
	id      TEXT PRIMARY KEY,
	digest  BLOB NOT NULL,
	outcome TEXT NOT NULL
) STRICT;

-- +goose Down
-- An older program would lose what this one kept.
