-- One incident is opened at a time; see hold.sql for the settings.
SELECT
  pg_advisory_xact_lock(hashtext('warroom.incident')),
  set_config('idle_in_transaction_session_timeout', '2000', true),
  set_config(
    'synchronous_commit',
    CASE current_setting('synchronous_commit')
      WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit')
    END,
    true
  );
