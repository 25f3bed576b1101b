# Somebody installs a job, as they do every day.
echo '@daily root true' >/etc/cron.d/backup
sleep 0.1
