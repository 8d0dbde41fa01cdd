-- Roles, databases and privileges of the services; the same as in a local run. Idempotent: it runs
-- at every start of the server, and outside the cluster (terraform/modules/database). Variables: owner,
-- runtime (role names), database. Environment: OWNER, RUNTIME, and PASSWORDS, a folder with one file a role.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
\set owner_password `cat "${PASSWORDS:-/run/secrets/postgres}/$OWNER"`
\set runtime_password `cat "${PASSWORDS:-/run/secrets/postgres}/$RUNTIME"`
SELECT format('CREATE ROLE %I', role) FROM unnest(ARRAY[:'owner', :'runtime']) AS role
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec
ALTER ROLE :"owner" WITH LOGIN NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
ALTER ROLE :"runtime" WITH LOGIN NOCREATEDB NOCREATEROLE PASSWORD :'runtime_password';
-- RDS's administrator is no superuser: what only those may say its new roles lack anyway, and it must
-- belong to the owner to make the owner's database.
SELECT format(CASE WHEN me.rolsuper THEN 'ALTER ROLE %I NOSUPERUSER NOREPLICATION NOBYPASSRLS'
    ELSE 'GRANT %I TO CURRENT_USER' END, role)
  FROM pg_roles AS me, unnest(ARRAY[:'owner', :'runtime']) AS role
 WHERE me.rolname = current_user \gexec
SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'owner')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO :"runtime";
\connect :"database"
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO :"runtime";
GRANT USAGE, CREATE ON SCHEMA public TO :"owner";
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"runtime";
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO :"runtime";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"runtime";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO :"runtime";
