-- The table `audit` of a record as lines for the judge (judge.h), behind those of the policy and of
-- the hosts, which whoever calls this has. Only what the audit says:
--
-- - A row is written later than its restart was admitted, and later than a halt took effect. Say
--   `late` in the policy: the longest such span.
-- - A begin is on record before its command is handed out, and what holds it back is looked at once
--   more then. So one that is written behind a halt, a trip or a deny has sent nothing: what is on
--   record of it next says so, or that nobody knows (`interrupted`). Of those alone the admission
--   may have been before: `start HOST late`.
-- - A host was absolved between the end of its last attempt and that of its job: `absolved`.
-- - A begin of the same attempt anew: it was not started before, and had its place: `return`.
-- - A further command of the same attempt: `command`.
-- - What has freed a place goes before the starts of the same commit, which is sorted by job.
--
-- sqlite3 -readonly mayhem.db <audit.sql
WITH
numbered AS (
  SELECT seq, max(time_ms) OVER (ORDER BY seq) AS at, action, job, lower(rtrim(host, '.')) AS host,
    coalesce(grp, '') AS grp, reason, outcome, casualty, until_ms,
    CAST(substr(ids, length('attempt=') + 1) AS INTEGER) AS attempt,
    CAST(substr(ids, instr(ids, 'command=') + length('command=')) AS INTEGER) AS command
  FROM audit),
rows AS (
  SELECT *,
    lag(action) OVER job = 'begun' AND lag(attempt) OVER job = attempt AS is_again,
    lag(command) OVER job < command AS is_next_command,
    lead(action) OVER job = 'not-started'
      OR (lead(action) OVER job = 'begun' AND lead(attempt) OVER job = attempt
        AND lead(command) OVER job <= command)
      OR (lead(action) OVER job IN ('over', 'ended') AND lead(reason) OVER job LIKE 'interrupted%')
      OR coalesce(lead(outcome) OVER job IN ('withdrawn', 'skipped'), lead(action) OVER job IS NULL)
      AS is_unsent,
    iif(lag(action) OVER job = 'over', lag(seq) OVER job, NULL) AS over_seq,
    action IN ('over', 'not-started', 'open') AND at > coalesce(lag(at) OVER job, 0) AS is_first
  FROM numbered WINDOW job AS (PARTITION BY coalesce(job, seq) ORDER BY seq)),
absolved AS MATERIALIZED (SELECT seq, host FROM numbered WHERE action = 'absolve'),
lines AS (
  SELECT seq, 0 AS nth, 'return ' || host AS line FROM rows
    WHERE action = 'begun' AND is_again AND NOT is_next_command
  UNION ALL
  SELECT seq, 1, CASE action
      WHEN 'begun' THEN iif(is_again AND is_next_command, 'command ', 'start ') || host
        || iif(is_unsent, ' late', '')
      WHEN 'not-started' THEN 'return ' || host
      WHEN 'open' THEN 'open ' || host
      WHEN 'over' THEN 'end ' || host || ' failed' || iif(casualty, ' casualty', '')
      WHEN 'ended' THEN 'end ' || host || ' ' || outcome || iif(casualty,
        iif(EXISTS (SELECT 1 FROM absolved WHERE absolved.host = rows.host
          AND absolved.seq BETWEEN over_seq AND rows.seq), ' absolved', ' casualty'), '')
      WHEN 'run' THEN 'new-run'
      WHEN 'resume' THEN trim('resume ' || grp)
      WHEN 'trip' THEN 'trip ' || iif(grp = '', '-', grp)
      WHEN 'deny' THEN 'deny ' || host || ' ' || until_ms
      WHEN 'absolve' THEN 'absolve ' || host
      ELSE action END
    FROM rows)
SELECT at || ' ' || line FROM lines JOIN rows USING (seq) ORDER BY at, NOT is_first, seq, nth;
