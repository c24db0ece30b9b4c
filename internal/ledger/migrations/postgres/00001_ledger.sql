-- +goose Up
-- A migration that two programs begin at once is done once.
CREATE UNIQUE INDEX ledger_versions_once ON ledger_versions (version_id);

CREATE TABLE ledger (
	one  BIGINT PRIMARY KEY CHECK (one = 1),
	id   TEXT NOT NULL,
	salt BYTEA NOT NULL
);

-- Times are microseconds since 1970 UTC.
CREATE TABLE events (
	seq         BIGINT PRIMARY KEY,
	kind        TEXT NOT NULL,
	text_id     BIGINT NOT NULL,
	target_id   BIGINT NOT NULL,
	head        TEXT NOT NULL,
	label       TEXT NOT NULL,
	annotator   TEXT NOT NULL,
	source      TEXT NOT NULL,
	selection   TEXT NOT NULL,
	probability DOUBLE PRECISION NOT NULL,
	adjudicated BIGINT NOT NULL,
	ref         BIGINT NOT NULL,
	details     TEXT NOT NULL,
	time        BIGINT NOT NULL,
	recorded    BIGINT NOT NULL
);
CREATE INDEX events_text ON events (text_id, seq);
CREATE INDEX events_ref ON events (ref) WHERE ref > 0;
CREATE INDEX events_kind ON events (kind, seq);

-- +goose StatementBegin
CREATE FUNCTION events_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'events are never changed or deleted';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER events_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON events
	FOR EACH STATEMENT EXECUTE FUNCTION events_are_kept();

-- What forgetting erases is in the tables from here to queued; seq is the event
-- that brought it.
CREATE TABLE texts (
	id     BIGINT PRIMARY KEY,
	seq    BIGINT NOT NULL,
	digest BYTEA NOT NULL UNIQUE,
	bytes  BIGINT NOT NULL,
	text   TEXT NOT NULL
);

CREATE TABLE ids (
	name    TEXT PRIMARY KEY,
	text_id BIGINT NOT NULL,
	seq     BIGINT NOT NULL
);
CREATE INDEX ids_text ON ids (text_id);

CREATE TABLE groups (
	name    TEXT NOT NULL,
	text_id BIGINT NOT NULL,
	seq     BIGINT NOT NULL,
	PRIMARY KEY (name, text_id)
);
CREATE INDEX groups_text ON groups (text_id);

CREATE TABLE targets (
	text_id BIGINT NOT NULL,
	id      BIGINT NOT NULL,
	target  TEXT NOT NULL,
	PRIMARY KEY (text_id, id)
);

CREATE TABLE queued (
	seq         BIGINT PRIMARY KEY,
	text_id     BIGINT NOT NULL,
	target_id   BIGINT NOT NULL,
	heads       TEXT NOT NULL,
	revision    TEXT NOT NULL,
	batch       TEXT NOT NULL,
	predictions TEXT NOT NULL
);
CREATE INDEX queued_text ON queued (text_id);

CREATE TABLE tombstones (
	digest BYTEA PRIMARY KEY,
	seq    BIGINT NOT NULL
);

CREATE TABLE requests (
	id      TEXT PRIMARY KEY,
	digest  BYTEA NOT NULL,
	outcome TEXT NOT NULL
);

-- +goose Down
-- An older program would lose what this one kept.
