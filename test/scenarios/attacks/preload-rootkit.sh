# A downloaded installer configures a preload library for every program and empties a log.
exec 3<>/dev/tcp/127.0.0.1/$PORT
echo GET >&3
cat <&3 >/tmp/installer
chmod +x /tmp/installer
sleep 0.1
/tmp/installer -c 'sleep 0.1; echo >/etc/ld.so.preload; sleep 0.1; : >/var/log/auth.log; sleep 0.1'
