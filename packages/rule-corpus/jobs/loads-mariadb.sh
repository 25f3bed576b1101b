## loads MariaDB
#desc a MariaDB database under load, with administration and dumps
#in host
#in mariadb:11
#needs mariadbd mariadb-install-db
#setup id mysql > /dev/null 2>&1 || useradd -r -d /var/lib/mysql mysql
#setup mkdir -p /var/lib/mysql /run/mysqld; chown mysql /var/lib/mysql /run/mysqld; mariadb-install-db --user=mysql --skip-test-db > /dev/null 2>&1
mariadbd --user=mysql --socket=/run/mysqld/s --bind-address=127.0.0.1 --log-bin=/var/lib/mysql/bin --innodb-buffer-pool-size=16M > /var/log/mysqld.log 2>&1 & S='-S /run/mysqld/s'
until mariadb-admin $S ping; do sleep 0.2; done > /dev/null 2>&1
mariadb $S -e "create database shop; create user app@localhost identified by 'x'; grant all on shop.* to app@localhost; flush privileges"; mariadb-slap $S --auto-generate-sql --concurrency=4 --iterations=1 --number-of-queries=400; for n in $(seq 1 25); do mariadb $S shop -e "create table if not exists t(n int, s text); insert into t values($n, repeat('x', 100)); select count(*) from t"; done > /dev/null
for n in $(seq 1 10); do mariadb -h 127.0.0.1 -u app -px shop -e 'select sum(n) from t'; done > /dev/null; mariadb $S shop -e "select * from t into outfile '/var/lib/mysql/t.csv'; load data infile '/var/lib/mysql/t.csv' into table t; alter table t add index(n); optimize table t; flush logs; show processlist" > /dev/null
mariadb-dump $S --all-databases | gzip > /srv/all.sql.gz; zcat /srv/all.sql.gz | head -n 400 | mariadb $S shop; mariadb-check $S -A > /dev/null; mariadb-upgrade $S > /dev/null; mariadb-admin $S status; mariadb $S -e 'purge binary logs before now()'; mariadb-admin $S shutdown; wait
