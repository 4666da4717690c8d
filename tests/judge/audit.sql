-- The table `audit` of a record as lines for the judge (judge.h), behind those of the policy and of
-- the hosts, which whoever calls this has. Only what the audit says; where it cannot tell, what
-- holds in any case, so that nothing is found that has not happened:
--
-- - A row is written later than its restart was admitted, and later than an order took effect: say
--   `late` in the policy.
-- - An attempt of the same number again was not started before: `return`.
-- - An attempt of the next number, with no end between. `attempts` is what the run had as
--   --attempts. With 1 the one before was interrupted, and its host has kept its place: `open`.
--   With more the one before may have failed at any time: `end failed` at once.
-- - What was interrupted (the same, an end as a casualty, or no end) may have left its place when
--   its host was held back, or when there was a new consumer, which begins nothing for 2 s where
--   hosts are known to it: `end failed`.
-- - A further command of the same attempt: `command`.
--
-- sqlite3 -readonly -cmd '.parameter set :attempts 1' mayhem.db <audit.sql
WITH
numbered AS (
  SELECT seq, max(time_ms) OVER (ORDER BY seq) AS at, action, job, lower(rtrim(host, '.')) AS host,
    coalesce(grp, '') AS grp, outcome, casualty, until_ms,
    CAST(substr(ids, length('attempt=') + 1) AS INTEGER) AS attempt,
    CAST(substr(ids, instr(ids, 'command=') + length('command=')) AS INTEGER) AS command
  FROM audit),
rows AS (
  SELECT *, lag(action) OVER job = 'begun' AND lag(attempt) OVER job = attempt
      AND lag(command) OVER job < command AS goes_on, -- the attempt of the row before
    lag(action) OVER job = 'begun' AND lag(attempt) OVER job < attempt AS is_anew,
    lead(action) OVER job = 'begun' AS is_followed,
    lead(attempt) OVER job AS next_attempt, lead(command) OVER job AS next_command,
    lead(seq, 1, 9e18) OVER job AS next_seq, lead(casualty) OVER job AS ends_as_casualty
  FROM numbered WINDOW job AS (PARTITION BY coalesce(job, seq) ORDER BY seq)),
-- Rows behind which there may be a new consumer.
gaps AS (
  SELECT before AS seq FROM (
    SELECT lag(seq) OVER begins AS before, at - lag(at) OVER begins AS span_ms
    FROM numbered WHERE action = 'begun' WINDOW begins AS (ORDER BY seq))
  WHERE span_ms >= 1500),
-- An attempt that may have been interrupted, and behind which row its host may have left its place.
held AS (
  SELECT begun.host, begun.next_seq, min(hold.seq) AS seq
  FROM rows AS begun JOIN rows AS hold ON hold.seq >= begun.seq AND hold.seq < begun.next_seq
  WHERE begun.action = 'begun'
    AND CASE WHEN begun.is_followed THEN begun.next_attempt > begun.attempt
      ELSE coalesce(begun.ends_as_casualty, 1) END
    AND CASE hold.action
      WHEN 'halt' THEN 1
      WHEN 'trip' THEN hold.grp = '' OR instr(',' || begun.grp || ',', ',' || hold.grp || ',')
      WHEN 'deny' THEN hold.host = begun.host
      WHEN 'begun' THEN hold.seq IN (SELECT seq FROM gaps)
      ELSE 0 END
  GROUP BY begun.seq),
lines AS (
  SELECT seq, 0 AS nth, 'open ' || host AS line FROM rows
    WHERE action = 'begun' AND is_anew AND CAST(:attempts AS INTEGER) = 1
      AND seq NOT IN (SELECT next_seq FROM held)
  UNION ALL
  SELECT seq, 1, iif(goes_on, 'command ', 'start ') || host FROM rows WHERE action = 'begun'
  UNION ALL
  SELECT seq, 2, iif(next_attempt = attempt, 'return ' || host, 'end ' || host || ' failed')
    FROM rows
    WHERE action = 'begun' AND is_followed
      AND NOT (next_attempt = attempt AND next_command > command)
      AND NOT (next_attempt > attempt AND CAST(:attempts AS INTEGER) = 1)
  UNION ALL
  SELECT seq, 3, 'end ' || host || ' failed' FROM held WHERE CAST(:attempts AS INTEGER) = 1
  UNION ALL
  SELECT seq, 1, 'end ' || host || ' ' || outcome || iif(casualty, ' casualty', '') FROM rows
    WHERE action = 'ended'
  UNION ALL
  SELECT seq, 1, CASE action
      WHEN 'run' THEN 'new-run'
      WHEN 'resume' THEN trim('resume ' || grp)
      WHEN 'trip' THEN 'trip ' || iif(grp = '', '-', grp)
      WHEN 'deny' THEN 'deny ' || host || ' ' || until_ms
      WHEN 'absolve' THEN 'absolve ' || host
      ELSE action END FROM rows
    WHERE action NOT IN ('begun', 'ended'))
SELECT at || ' ' || line FROM lines JOIN numbered USING (seq) ORDER BY seq, nth;
