-- Views over envc's history for dashboards: psql "$ENVC_HISTORY_URL" -f -
-- They hold what the commits of each line of first parents changed: what a merge brought in came with the merge.
-- Commits that were amended away are in them, too.

CREATE OR REPLACE VIEW envc_line AS
WITH RECURSIVE line (hash) AS (
  SELECT c.hash FROM recorded_commit c
  WHERE c.hash NOT IN (SELECT first_parent FROM recorded_commit)
    AND c.hash NOT IN (SELECT substr(parents, length(hash) + 2, length(hash)) FROM recorded_commit)
  UNION
  SELECT c.first_parent FROM recorded_commit c JOIN line ON line.hash = c.hash
)
SELECT hash FROM line;

CREATE OR REPLACE VIEW envc_revision AS
SELECT
  to_timestamp(c.committed_at) AS time,
  e.name AS environment,
  c.hash AS commit,
  c.author_name AS author,
  split_part(c.message, E'\n', 1) AS subject,
  c.message AS message,
  r.resources AS resources,
  r.problem AS problem,
  CASE WHEN r.base_id IS NULL THEN 0 ELSE
    (SELECT count(*) FROM resource_change h WHERE h.revision_id = r.id)
  END AS changed
FROM revision r
JOIN recorded_commit c ON c.id = r.commit_id
JOIN envc_line line ON line.hash = c.hash
JOIN environment e ON e.id = r.environment_id;

CREATE OR REPLACE VIEW envc_change AS
SELECT
  to_timestamp(c.committed_at) AS time,
  e.name AS environment,
  c.hash AS commit,
  c.author_name AS author,
  split_part(c.message, E'\n', 1) AS subject,
  x.kind AS kind,
  x.namespace AS namespace,
  x.name AS name,
  f.field AS field,
  f.how AS how,
  f.old AS old,
  f.new AS new,
  f.place AS place
FROM field_change f
JOIN revision r ON r.id = f.revision_id
JOIN recorded_commit c ON c.id = r.commit_id
JOIN envc_line line ON line.hash = c.hash
JOIN environment e ON e.id = r.environment_id
JOIN resource x ON x.id = f.resource_id;

CREATE OR REPLACE VIEW envc_image AS
SELECT time, environment, commit, author, subject, kind, namespace, name, field,
  trim(both '"' FROM old) AS image_before,
  trim(both '"' FROM new) AS image
FROM envc_change
WHERE field LIKE '%.image';
