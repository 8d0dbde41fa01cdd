-- The role that an exporter of metrics uses: it sees statistics and no table.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
\set password `cat /run/secrets/postgres/titanium_monitor`
SELECT 'CREATE ROLE titanium_monitor'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'titanium_monitor') \gexec
ALTER ROLE titanium_monitor WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
    CONNECTION LIMIT 5 PASSWORD :'password';
GRANT pg_monitor TO titanium_monitor;
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
GRANT CONNECT ON DATABASE postgres TO titanium_monitor;
