# An administrator's morning: who am I, which kernel, an archive of the configuration, the jobs, a client for logins elsewhere.
id
uname -a
tar -cf /root/etc.tar /etc/hosts
ls /etc/cron.d
cp /bin/true /opt/ssh
/opt/ssh
sleep 0.1
