-- The role that an exporter of metrics uses: it sees statistics and no table.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
\set password `cat "${PASSWORDS:-/run/secrets/postgres}/titanium_monitor"`
SELECT 'CREATE ROLE titanium_monitor'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'titanium_monitor') \gexec
ALTER ROLE titanium_monitor WITH LOGIN NOCREATEDB NOCREATEROLE CONNECTION LIMIT 5
    PASSWORD :'password';
-- As in provision.sql: not RDS's administrator.
SELECT 'ALTER ROLE titanium_monitor NOSUPERUSER NOREPLICATION NOBYPASSRLS'
  FROM pg_roles WHERE rolname = current_user AND rolsuper \gexec
GRANT pg_monitor TO titanium_monitor;
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
GRANT CONNECT ON DATABASE postgres TO titanium_monitor;
