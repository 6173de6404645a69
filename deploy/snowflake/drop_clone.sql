-- Drops what clone.sql made, when the pull request is closed. Run it with the role CI.

use role ci;

drop database if exists raw__pr_12;
drop database if exists analytics__pr_12;
drop database if exists ml__pr_12;
