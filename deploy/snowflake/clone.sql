-- The databases of a pull request, here of number 12: `DP_TARGET=pr_12` works on these names, and on no
-- others. Run it with the role CI.
--
-- A clone costs no storage until it or the original changes. It has the grants on what is in it, future
-- grants included, and none on the database itself: those are below. Its schemas and tables belong to the
-- roles that own the originals, so that the same roles load, build and train there. Files in stages are
-- not cloned: a model that is scored there is trained there first. drop_clone.sql drops them.

use role ci;

create database if not exists raw__pr_12 clone raw data_retention_time_in_days = 0;
grant usage, create schema on database raw__pr_12 to role ingestion;
grant usage on database raw__pr_12 to role transformation;
grant usage, create schema on database raw__pr_12 to role developer;
grant usage on database raw__pr_12 to role ci;

create database if not exists analytics__pr_12 clone analytics data_retention_time_in_days = 0;
grant usage, create schema on database analytics__pr_12 to role transformation;
grant usage on database analytics__pr_12 to role ml;
grant usage on database analytics__pr_12 to role analyst;
grant create schema on database analytics__pr_12 to role developer;
grant usage on database analytics__pr_12 to role ci;

create database if not exists ml__pr_12 clone ml data_retention_time_in_days = 0;
grant usage, create schema on database ml__pr_12 to role ml;
grant usage on database ml__pr_12 to role analyst;
grant create schema on database ml__pr_12 to role developer;
grant usage on database ml__pr_12 to role ci;
