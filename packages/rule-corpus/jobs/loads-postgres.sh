## loads PostgreSQL
#desc a PostgreSQL database under load, with archiving, dumps and a restore
#in host
#in postgres:15
#needs postgres pgbench
#setup id postgres > /dev/null 2>&1 || useradd -r -d /var/lib/postgresql -s /bin/bash postgres
#setup mkdir -p /var/lib/postgresql /run/postgresql /srv/wal; chown postgres /var/lib/postgresql /run/postgresql /srv/wal
cat > /srv/load.sh <<'P'
export PATH=$(ls -d /usr/lib/postgresql/*/bin | tail -1):$PATH PGDATA=/var/lib/postgresql/lab PGHOST=/run/postgresql
initdb -A trust > /dev/null
cat >> $PGDATA/postgresql.conf <<'C'
archive_mode = on
archive_command = 'test ! -f /srv/wal/%f && cp %p /srv/wal/%f'
max_wal_size = 32MB
C
pg_ctl -w -l /var/lib/postgresql/log start
createdb shop; createuser shop; pgbench -i -q -s 2 shop; pgbench -c 4 -j 2 -t 400 shop; pgbench -S -C -c 2 -t 300 shop
psql -q shop -c 'create extension if not exists pg_trgm; create table t as select generate_series(1, 20000) n; create index on t(n); analyze; select pg_switch_wal();'
pg_dump -Fc shop > /var/lib/postgresql/shop.dump; createdb copy; pg_restore -d copy /var/lib/postgresql/shop.dump; vacuumdb -q -z shop; reindexdb -q shop; pg_isready; pg_dumpall -g > /dev/null
psql -q shop -c "copy t to '/var/lib/postgresql/t.csv' csv"; psql -q shop -c "copy t from '/var/lib/postgresql/t.csv' csv"; psql -qc 'select * from pg_stat_activity' > /dev/null
pg_ctl reload; pg_basebackup -D /var/lib/postgresql/base -c fast; pg_ctl -m fast stop
P
su postgres -s /bin/sh /srv/load.sh
