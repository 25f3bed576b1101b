# The controller of the implant, in a separate process tree, installs a cron job.
sleep 0.7
/opt/peer connect $LOCAL
sleep 0.1
echo '@daily root true' >/etc/cron.d/daily
sleep 0.1
