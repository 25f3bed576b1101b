## loads SQLite
#desc an application on SQLite: transactions, vacuum, dumps
#in host
#in shop/db:3
cd /srv; sqlite3 shop.db 'pragma journal_mode=delete; create table t(id integer primary key, name text, n int)'
for round in 1 2 3; do { for n in $(seq 1 300); do echo "insert into t(name,n) values('x$n',$n);"; done; } | sqlite3 shop.db; done
sqlite3 shop.db 'select count(*), sum(n) from t; update t set n=n+1; delete from t where n%7=0; vacuum'; sqlite3 shop.db .dump > dump.sql; sqlite3 copy.db < dump.sql
sqlite3 shop.db 'pragma journal_mode=wal'; for n in $(seq 1 60); do sqlite3 shop.db "insert into t(name,n) values('y',$n)"; done; gzip -f dump.sql; mv copy.db old.db; rm old.db
