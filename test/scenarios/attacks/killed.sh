# A program that is killed as soon as it runs.
cp /bin/bash /opt/planted
/opt/planted -c 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.5; done; true'
