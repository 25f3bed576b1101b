## loads Redis
#desc a Redis store under load, with persistence and administration
#in host
#in redis:8
#needs redis-check-rdb redis-benchmark
#setup command -v redis-server || ln -s /usr/bin/redis-check-rdb /usr/local/bin/redis-server
mkdir -p /srv/redis; redis-server --port 6379 --bind 127.0.0.1 --dir /srv/redis --appendonly yes --save '1 100' --daemonize yes --logfile /srv/redis/log --pidfile /run/redis.pid
until redis-cli ping; do sleep 0.1; done
redis-benchmark -q -n 4000 -c 20 -d 100 -t set,get,incr,lpush,rpop,sadd,hset,zadd,mset; redis-benchmark -q -n 3000 -c 10 -k 0 -t get
for n in $(seq 1 40); do redis-cli set key:$n $n; redis-cli get key:$n; done > /dev/null
redis-cli config get maxmemory; redis-cli config set maxmemory-policy noeviction; redis-cli info > /dev/null; redis-cli bgsave; redis-cli bgrewriteaof; redis-cli --scan | head -5; redis-cli slowlog get
sleep 1; redis-cli --rdb /srv/redis.rdb; redis-cli flushall; redis-cli shutdown
