-- The tables of postgres.sh and profiles.sh. A row is there once, however often it was published: (service, stream, day, id) is its identity.
CREATE TABLE IF NOT EXISTS dfinery_rows (
  service      text        NOT NULL,
  stream       text        NOT NULL,
  day          date        NOT NULL,
  id           text        NOT NULL,
  published_at timestamptz NOT NULL,
  value        jsonb       NOT NULL,
  PRIMARY KEY (service, stream, day, id)
);

-- Records that PostgreSQL can't hold, such as one with a NUL character: jsonb has none. record is what kcat -J printed.
CREATE TABLE IF NOT EXISTS dfinery_rejected (
  topic         text        NOT NULL,
  partition     int         NOT NULL,
  "offset"      bigint      NOT NULL,
  rejected_at   timestamptz NOT NULL DEFAULT now(),
  reason        text        NOT NULL,
  record        text        NOT NULL,
  PRIMARY KEY (topic, partition, "offset")
);

-- The next offset of each partition, moved in the transaction that brings the rows.
CREATE TABLE IF NOT EXISTS dfinery_offsets (
  topic         text   NOT NULL,
  partition     int    NOT NULL,
  next_offset   bigint NOT NULL,
  PRIMARY KEY (topic, partition)
);

-- The table of profiles.sh: the current profiles of streams with MODE=changes. n is the number of the export that published the row.
CREATE TABLE IF NOT EXISTS dfinery_profiles (
  topic         text        NOT NULL,
  key           text        NOT NULL,
  n             int         NOT NULL,
  published_at  timestamptz NOT NULL,
  value         jsonb       NOT NULL,
  PRIMARY KEY (topic, key)
);
