# An implant waits on loopback for its orders; it has taken the hashes meanwhile.
/opt/peer listen $LOCAL &
sleep 0.1
read -r line </etc/shadow
sleep 1.5
kill %1
