# A program that the responder kills when it starts.
cp /bin/bash /opt/planted
/opt/planted -c 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.5; done; true'
