# A program that the responder kills when it starts.
cp /bin/bash /opt/planted
# It waits without a child, which would outlive it: then the incident would not be contained.
mkfifo /opt/wait
/opt/planted -c 'read -r -t 5 line <>/opt/wait; true'
