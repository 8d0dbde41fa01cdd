-- What base/postgres/provision.sql grants, run by the database's owner before each migration.
-- Idempotent. Variables: owner, runtime (role names), database.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO :"runtime";
-- Besides those: the operator's exporter is in pg_monitor and asks in the first service's database.
GRANT CONNECT ON DATABASE :"database" TO pg_monitor;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO :"runtime";
GRANT USAGE, CREATE ON SCHEMA public TO :"owner";
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"runtime";
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO :"runtime";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"runtime";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO :"runtime";
