SELECT
  to_regclass('warroom.version') IS NOT NULL AS known,
  to_regnamespace('warroom') IS NOT NULL AS taken,
  current_setting('server_encoding') AS encoding;
