# A user installs an ordinary cron job.
echo '@daily root true' >/etc/cron.d/backup
sleep 0.1
