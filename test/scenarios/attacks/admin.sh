# An administrator runs id and uname, archives a configuration file, lists cron jobs and starts an SSH client.
id
uname -a
tar -cf /root/etc.tar /etc/hosts
ls /etc/cron.d
cp /bin/true /opt/ssh
/opt/ssh
sleep 0.1
