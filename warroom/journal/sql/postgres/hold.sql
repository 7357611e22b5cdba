-- The end of a chain, its incident locked. Durable even where the server's default is not to wait
-- for the disk; whoever stops in the middle holds up the others for two seconds at most.
SELECT
  held.number, held.sealed_as, held.seq, held.digest,
  set_config('idle_in_transaction_session_timeout', '2000', true),
  set_config(
    'synchronous_commit',
    CASE current_setting('synchronous_commit')
      WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit')
    END,
    true
  )
FROM warroom.hold($1) AS held;
