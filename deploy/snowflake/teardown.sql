-- Takes away what setup.sql made, with all data. Run it as ACCOUNTADMIN. The databases of pull requests
-- are dropped before, by drop_clone.sql.

use role accountadmin;

-- A policy is dropped after those who have it.

drop user if exists ingestion;
drop user if exists transformation;
drop user if exists ml;
drop user if exists ci;
drop network policy if exists platform;
drop authentication policy if exists platform.security.services;
drop role if exists ingestion;
drop role if exists transformation;
drop role if exists ml;
drop role if exists analyst;
drop role if exists developer;
drop role if exists ci;
drop warehouse if exists loading;
drop warehouse if exists transforming;
drop warehouse if exists ml;
drop warehouse if exists exploring;
drop resource monitor if exists platform;
-- For a day, or as long as their time travel is, UNDROP DATABASE brings them back.
drop database if exists raw;
drop database if exists analytics;
drop database if exists ml;
drop database if exists platform;
