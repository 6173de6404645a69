-- Makes what the platform needs in a Snowflake account. Run it as ACCOUNTADMIN, and again after a change
-- of it: it creates what is missing and sets what it says here; it drops nothing, and a privilege that is
-- taken out of it has to be revoked. docs/guides/production.md says what each choice costs.
--
-- Before: put in the four public keys, without their first and last line (`openssl rsa -in ingestion.p8
-- -pubout`), and the addresses from which the platform runs. Left as they are, nobody can log in.

use role accountadmin;

-- Databases: one for each code location to write, so that a role of its own is all it needs.

create database if not exists raw comment = 'Loaded by Sling and dlt, as the sources have it';
create database if not exists analytics comment = 'Built by dbt';
create database if not exists ml comment = 'Features, models and scores, by Snowpark';

-- What belongs to none of them: policies, and the state that pull requests compare with.

create database if not exists platform comment = 'Of the platform itself';
create schema if not exists platform.security comment = 'Policies';
create schema if not exists platform.ci comment = 'Of the workflows';
create stage if not exists platform.ci.state comment = 'The dbt manifest that production runs';

-- Virtual warehouses: each starts with a statement and stops a minute after the last one. XSMALL uses one
-- credit an hour while it runs, each size above twice as many. One for each kind of work: so no work waits
-- for another, and the bill says what each costs.

create warehouse if not exists loading warehouse_size = xsmall initially_suspended = true;
create warehouse if not exists transforming warehouse_size = xsmall initially_suspended = true;
create warehouse if not exists ml warehouse_size = xsmall initially_suspended = true;
create warehouse if not exists exploring warehouse_size = xsmall initially_suspended = true;
alter warehouse loading set
    warehouse_size = xsmall
    auto_suspend = 60
    auto_resume = true
    statement_timeout_in_seconds = 3600
    statement_queued_timeout_in_seconds = 1800
    comment = 'Sling and dlt: mostly COPY, which a larger one does not make faster';
alter warehouse transforming set
    warehouse_size = xsmall
    auto_suspend = 60
    auto_resume = true
    statement_timeout_in_seconds = 7200
    statement_queued_timeout_in_seconds = 1800
    comment = 'dbt: the first to grow when a build takes too long';
alter warehouse ml set
    warehouse_size = xsmall
    auto_suspend = 60
    auto_resume = true
    statement_timeout_in_seconds = 14400
    statement_queued_timeout_in_seconds = 1800
    comment = 'Snowpark: features, training and scoring; one training is one statement';
alter warehouse exploring set
    warehouse_size = xsmall
    auto_suspend = 60
    auto_resume = true
    statement_timeout_in_seconds = 600
    statement_queued_timeout_in_seconds = 300
    comment = 'People: a query of theirs never waits for a build, nor a build for it';

-- A monitor stops what would otherwise be found on the bill: here 100 credits a month, for all four.
-- SUSPEND lets running statements finish, SUSPEND_IMMEDIATE does not.

create resource monitor if not exists platform with
    credit_quota = 100
    frequency = monthly
    start_timestamp = immediately;
alter resource monitor platform set
    credit_quota = 100
    triggers
        on 75 percent do notify
        on 100 percent do suspend
        on 110 percent do suspend_immediate;
alter warehouse loading set resource_monitor = platform;
alter warehouse transforming set resource_monitor = platform;
alter warehouse ml set resource_monitor = platform;
alter warehouse exploring set resource_monitor = platform;

-- Roles: one for each code location, with the least that it needs; two for people, one for workflows.

create role if not exists ingestion comment = 'Writes RAW, and reads nothing else';
create role if not exists transformation comment = 'Reads RAW, writes ANALYTICS';
create role if not exists ml comment = 'Reads ANALYTICS, writes ML';
create role if not exists analyst comment = 'People: reads ANALYTICS and ML';
create role if not exists developer comment = 'People: reads all, writes in schemas of their own';
create role if not exists ci comment = 'Workflows: clones for pull requests, the state of dbt';
grant role analyst to role developer;
grant role ingestion to role sysadmin;
grant role transformation to role sysadmin;
grant role ml to role sysadmin;
grant role developer to role sysadmin;
grant role ci to role sysadmin;

-- USAGE starts a warehouse that is suspended. Nobody but administrators may resize one.

grant usage on warehouse loading to role ingestion;
grant usage on warehouse transforming to role transformation;
grant usage on warehouse ml to role ml;
grant usage on warehouse exploring to role analyst;

-- Writing: who creates a schema owns it, and with it whatever is created in it: tables, the stages and
-- temporary tables by which Sling and dlt load, clones and swaps of tables, the registry of models,
-- Snowpark's procedures.

grant usage, create schema on database raw to role ingestion;
grant usage, create schema on database analytics to role transformation;
grant usage, create schema on database ml to role ml;

-- What Snowpark creates for its own use is temporary and lies in PUBLIC, which it does not own.

grant usage, create table, create view, create stage, create file format, create function,
    create procedure on schema ml.public to role ml;

-- Reading: what is there, and what comes later, by future grants.

grant usage on database raw to role transformation;
grant usage on all schemas in database raw to role transformation;
grant usage on future schemas in database raw to role transformation;
grant select on all tables in database raw to role transformation;
grant select on future tables in database raw to role transformation;
grant select on all views in database raw to role transformation;
grant select on future views in database raw to role transformation;

grant usage on database analytics to role ml;
grant usage on all schemas in database analytics to role ml;
grant usage on future schemas in database analytics to role ml;
grant select on all tables in database analytics to role ml;
grant select on future tables in database analytics to role ml;
grant select on all views in database analytics to role ml;
grant select on future views in database analytics to role ml;
grant select on all dynamic tables in database analytics to role ml;
grant select on future dynamic tables in database analytics to role ml;

grant usage on database analytics to role analyst;
grant usage on all schemas in database analytics to role analyst;
grant usage on future schemas in database analytics to role analyst;
grant select on all tables in database analytics to role analyst;
grant select on future tables in database analytics to role analyst;
grant select on all views in database analytics to role analyst;
grant select on future views in database analytics to role analyst;
grant select on all dynamic tables in database analytics to role analyst;
grant select on future dynamic tables in database analytics to role analyst;

grant usage on database ml to role analyst;
grant usage on all schemas in database ml to role analyst;
grant usage on future schemas in database ml to role analyst;
grant select on all tables in database ml to role analyst;
grant select on future tables in database ml to role analyst;
grant select on all views in database ml to role analyst;
grant select on future views in database ml to role analyst;

grant usage on database raw to role developer;
grant usage on all schemas in database raw to role developer;
grant usage on future schemas in database raw to role developer;
grant select on all tables in database raw to role developer;
grant select on future tables in database raw to role developer;
grant select on all views in database raw to role developer;
grant select on future views in database raw to role developer;

-- People who develop: with DP_TARGET=dev each has schemas of his own in the same databases, and no right
-- to change what is not theirs.

grant create schema on database raw to role developer;
grant create schema on database analytics to role developer;
grant create schema on database ml to role developer;
grant usage, create table, create view, create stage, create file format, create function,
    create procedure on schema ml.public to role developer;
grant usage on warehouse loading to role developer;
grant usage on warehouse transforming to role developer;
grant usage on warehouse ml to role developer;

-- Workflows: a clone belongs to who makes it, and what is in it to the role that owns the original
-- (deploy/snowflake/clone.sql). They read no table.

grant create database on account to role ci;
grant usage on database raw to role ci;
grant usage on database analytics to role ci;
grant usage on database ml to role ci;
grant usage on database platform to role ci;
grant usage on schema platform.ci to role ci;
grant read, write on stage platform.ci.state to role ci;

-- How services log in: with a key pair alone, and from the addresses of the cluster alone. Replace the
-- addresses: these are of a range that is kept for documentation, and belong to nobody.

create network policy if not exists platform allowed_ip_list = ('203.0.113.0/24');
alter network policy platform set
    allowed_ip_list = ('203.0.113.0/24')
    comment = 'Where the platform runs';
create authentication policy if not exists platform.security.services
    authentication_methods = ('KEYPAIR')
    comment = 'Services log in with a key pair alone';

-- One service user for each code location: who gets hold of one key has one role. Without secondary roles,
-- or a session would have the rights of all roles that its user has.

create user if not exists ingestion type = service;
alter user ingestion set
    default_role = ingestion
    default_secondary_roles = ()
    default_warehouse = loading
    network_policy = platform
    rsa_public_key = 'THE PUBLIC KEY OF INGESTION';
alter user ingestion set authentication policy platform.security.services force;
grant role ingestion to user ingestion;
create user if not exists transformation type = service;
alter user transformation set
    default_role = transformation
    default_secondary_roles = ()
    default_warehouse = transforming
    network_policy = platform
    rsa_public_key = 'THE PUBLIC KEY OF TRANSFORMATION';
alter user transformation set authentication policy platform.security.services force;
grant role transformation to user transformation;
create user if not exists ml type = service;
alter user ml set
    default_role = ml
    default_secondary_roles = ()
    default_warehouse = ml
    network_policy = platform
    rsa_public_key = 'THE PUBLIC KEY OF ML';
alter user ml set authentication policy platform.security.services force;
grant role ml to user ml;

-- Workflows run on machines of GitHub, whose addresses change: no network policy. In place of the key,
-- GitHub's own word on which workflow it is: WORKLOAD_IDENTITY = (TYPE = OIDC ISSUER =
-- 'https://token.actions.githubusercontent.com' SUBJECT = 'repo:OWNER/REPOSITORY:environment:NAME'), and
-- no authentication policy.

create user if not exists ci type = service;
alter user ci set
    default_role = ci
    default_secondary_roles = ()
    rsa_public_key = 'THE PUBLIC KEY OF CI';
alter user ci set authentication policy platform.security.services force;
grant role ci to user ci;

-- People: each a user of TYPE = PERSON, by single sign-on, or with a password and a second factor.
--
--     grant role analyst to user ana;
--     grant role developer to user ben;
